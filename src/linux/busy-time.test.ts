import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { burnCpuMs } from './burn-cpu.fixture.js';
import { BusyTime, BusyTimeReader } from './busy-time.js';
import type { CpuTimes, MachineCpuTimes } from './procfs.js';

const zero: CpuTimes = {
  user: 0,
  nice: 0,
  system: 0,
  idle: 0,
  iowait: 0,
  irq: 0,
  softirq: 0,
  steal: 0,
  guest: 0,
  guestNice: 0,
};

function machine(cpus: number, total: Partial<CpuTimes>): MachineCpuTimes {
  const byCpu = new Map(Array.from({ length: cpus }, (_, cpu) => [cpu, zero]));
  return { total: { ...zero, ...total }, byCpu };
}

const second = 1_000_000_000n;

test('BusyTime is 0, when it is read the first time', () => {
  assert.equal(new BusyTime().update(machine(2, { idle: 12_345 }), 77n * second), 0);
});

test('BusyTime is the time of all CPUs less idle, iowait and steal, when these grow', () => {
  const busy = new BusyTime();
  busy.update(machine(4, { idle: 1000, iowait: 100, steal: 10, user: 5 }), second);
  assert.equal(busy.update(machine(4, { idle: 1250, iowait: 120, steal: 15, user: 6 }), 2n * second), 1.25e9);
});

test('BusyTime does not change and then continues without a surplus, when idle is rounded back and forth', () => {
  const busy = new BusyTime();
  busy.update(machine(1, { idle: 0 }), 0n);
  assert.equal(busy.update(machine(1, { idle: 101 }), second), 0);
  assert.equal(busy.update(machine(1, { idle: 199 }), 2n * second), 10_000_000);
  assert.equal(busy.update(machine(1, { idle: 301 }), 3n * second), 10_000_000);
  assert.equal(busy.update(machine(1, { idle: 350 }), 4n * second), 500_000_000);
});

test('BusyTime goes by the busy ticks of that step, when a CPU comes or goes', () => {
  const busy = new BusyTime();
  busy.update(machine(2, { idle: 5000 }), 0n);
  busy.update(machine(2, { idle: 5100, user: 100 }), second);
  assert.equal(busy.update(machine(1, { idle: 2000, user: 130, system: 20 }), 2n * second), 1.5e9);
  assert.equal(busy.update(machine(1, { idle: 2050, user: 180, system: 20 }), 3n * second), 2e9);
});

test('BusyTime goes by the busy ticks of that step, when idle falls to 0 after a CPU was replugged', () => {
  const busy = new BusyTime();
  busy.update(machine(2, { idle: 100_000 }), 0n);
  assert.equal(busy.update(machine(2, { idle: 50_000, user: 7 }), second), 70_000_000);
  assert.equal(busy.update(machine(2, { idle: 50_100, user: 107 }), 2n * second), 1_070_000_000);
});

test('BusyTimeReader grows by what this process burns and by no more than all CPUs, on this machine', () => {
  const reader = new BusyTimeReader('/proc');
  try {
    const start = process.hrtime.bigint();
    assert.equal(reader.read(start), 0);
    burnCpuMs(100);
    const end = process.hrtime.bigint();
    const busyNs = reader.read(end);
    assert.ok(busyNs >= 50e6, `${busyNs}`);
    assert.ok(busyNs <= 1024 * Number(end - start), `${busyNs}`);
  } finally {
    reader.close();
  }
});

test('BusyTimeReader counts from 0 again, when it was told to', () => {
  const reader = new BusyTimeReader('/proc');
  try {
    reader.read(0n);
    reader.restart();
    assert.equal(reader.read(second), 0);
  } finally {
    reader.close();
  }
});

test('BusyTimeReader counts interrupts from its first reading on, and from the next one after a restart', (t) => {
  const procfs = createFolder();
  const write = (irq: number, softirq: number) =>
    writeFileSync(
      join(procfs, 'stat'),
      `cpu  0 0 0 0 0 ${irq} ${softirq} 0 0 0\ncpu0 0 0 0 0 0 ${irq} ${softirq} 0 0 0\n`,
    );
  write(100, 20);
  const reader = new BusyTimeReader(procfs);
  t.after(() => reader.close());
  const read = (atS: bigint) => {
    reader.read(atS * second);
    return reader.interruptNs;
  };
  assert.equal(read(1n), 0);
  write(103, 24);
  assert.equal(read(2n), 70e6);
  reader.restart();
  assert.equal(read(3n), 0);
});
