import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pageSize } from '../../src/linux/libc.js';
import type { Series } from '../../src/model/series.js';
import { FakeMachine } from './fake-machine.fixture.js';

test('ProcessScraper omits I/O that may not be read', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, {});
  machine.procfs.write(8, {});
  machine.procfs.writeFile(7, 'io', describeIo(4096, 512));
  // Root may read any file, but reading a folder as a file always fails.
  mkdirSync(join(machine.procfs.path, '8', 'io'));
  machine.open({ metrics: { memory: false, threads: false, io: true } });
  machine.scan();
  machine.procfs.writeFile(7, 'io', describeIo(8192, 1024));
  machine.cpuNs.set(7, 1000);
  const scanned = machine.scan();
  const { 'disk.io read': read, 'disk.io write': written } = scanned.valuesOf(7);
  assert.deepEqual([read, written], [4096, 512]);
  assert.deepEqual(Object.keys(scanned.valuesOf(8)), ['cpu.time user', 'cpu.time system']);
});

test('ProcessScraper leaves a gap and loses nothing when a process cannot be read once', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, { userTicks: 1 });
  const series = startSeries(machine);
  machine.cpuNs.set(7, 300_000_000);
  machine.procfs.writeFile(7, 'stat', 'garbage');
  assert.deepEqual(
    Object.values(machine.scan().valuesOf(7)),
    Array.from({ length: 5 }, () => NaN),
  );
  machine.procfs.write(7, { userTicks: 1 });
  const scanned = machine.scan();
  assert.equal(scanned.valuesOf(7)['cpu.time user'], 0.3);
  assert.equal(scanned.seriesOf(7).get('cpu.time user'), series);
});

test('ProcessScraper fails with the scan and loses nothing when /proc/stat cannot be read once', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.writeStat(0, 100);
  machine.procfs.write(7, {});
  const series = startSeries(machine);
  const stat = join(machine.procfs.path, 'stat');
  writeFileSync(stat, '');
  machine.procfs.write(8, { startTicks: Number(machine.now / 10_000_000n) + 150 });
  machine.cpuNs.set(7, 500_000_000);
  machine.cpuNs.set(8, 50_000_000);
  assert.throws(() => machine.scan(), /Cannot parse \/proc\/stat/);
  machine.procfs.writeStat(0, 101);
  const scanned = machine.scan();
  assert.equal(scanned.seriesOf(7).get('cpu.time user'), series);
  assert.equal(scanned.valuesOf(7)['cpu.time user'], 0.5);
  assert.equal(scanned.valuesOf(8)['cpu.time user'], 0.05);
  assert.deepEqual([...(scanned.tables.at(-1)?.values ?? [])], [2, 0.004]);
});

test('ProcessScraper says once that processes may not be read, and tries them again later', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, {});
  machine.procfs.writeFile(7, 'stat', '');
  machine.scan();
  machine.scan();
  assert.deepEqual(machine.log.lines, [
    `warn: Cannot read all processes that ${machine.procfs.path} lists: expected permission, found none for 1; joulemetry doctor names the reason`,
  ]);
  machine.procfs.write(7, {});
  for (let scan = 3; scan <= 60; scan++) assert.equal(machine.scan().seriesOf(7).size, 0);
  assert.equal(machine.scan().seriesOf(7).size, 5);
  assert.deepEqual(machine.log.lines.slice(1), [
    'info: Recovered, every process that is listed can be read again',
  ]);
});

test('ProcessScraper omits memory and threads if the values are impossible', (t) => {
  const machine = new FakeMachine(t);
  const meminfo = join(machine.procfs.path, 'meminfo');
  const impossible = [
    { residentPages: -1, virtualBytes: -1, threads: -1 },
    { residentPages: 2 ** 52, virtualBytes: 2 ** 64, threads: 2 ** 32 },
    { residentPages: 3, virtualBytes: 1, threads: 1 },
  ];
  writeFileSync(meminfo, `MemTotal: ${(2 * pageSize) / 1024} kB\n`);
  impossible.forEach((stat, pid) => machine.procfs.write(pid + 7, stat));
  const scanned = machine.scan();
  const memoryOf = (pid: number) => {
    const values = scanned.valuesOf(pid);
    return [values['memory.usage'], values['memory.virtual'], values['thread.count']];
  };
  assert.deepEqual([7, 8, 9].map(memoryOf), [
    [NaN, NaN, NaN],
    [NaN, NaN, NaN],
    [NaN, 1, 1],
  ]);
  writeFileSync(meminfo, `MemTotal: ${(3 * pageSize) / 1024} kB\n`);
  machine.cpuNs.set(9, 1_000_000);
  assert.equal(machine.scan().valuesOf(9)['memory.usage'], 3 * pageSize);
});

function startSeries(machine: FakeMachine): Series | undefined {
  return machine.scan().seriesOf(7).get('cpu.time user');
}

function describeIo(read: number, written: number): string {
  return `rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: ${read}\nwrite_bytes: ${written}\ncancelled_write_bytes: 0\n`;
}

test('ProcessScraper leaves a process that ends while it is identified to the report of its end', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, {});
  machine.scan();
  machine.procfs.write(8, { cgroup: '/builds' });
  machine.onRead = (pid) => {
    if (pid === 8) machine.procfs.remove(8);
  };
  assert.equal(machine.scan().seriesOf(8).size, 0);
  assert.deepEqual(machine.released, [8]);
});

test('ProcessScraper has a process of which only the cgroup cannot be read', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, {});
  rmSync(join(machine.procfs.path, '7', 'cgroup'));
  assert.ok(machine.scan().seriesOf(7).size > 0);
  assert.deepEqual(machine.released, []);
});
