import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { skipFor } from '../../testing/needs.fixture.js';
import { until } from '../../testing/until.js';
import { burnCpuMs } from '../burn-cpu.fixture.js';
import { addressOf } from '../libc.js';
import {
  closePerfEvent,
  encodePerfAttr,
  openPerfEvent,
  PerfEventError,
  perfReadFormat,
  perfType,
  readPerfEvent,
  softwareEvent,
  type PerfEvent,
} from './event.js';

const own = { type: perfType.software, pid: 0, cpu: -1, excludeKernel: true, excludeHypervisor: true };
const machine = {
  name: 'cpu-clock',
  type: perfType.software,
  config: softwareEvent.cpuClock,
  pid: -1,
  cpu: 0,
};
const refusal = (event: PerfEvent): string | false => {
  try {
    closePerfEvent(openPerfEvent(event));
    return false;
  } catch (error) {
    assert.ok(error instanceof PerfEventError);
    return skipFor(error.message);
  }
};
const ownRefused = refusal({ ...own, name: 'task-clock', config: softwareEvent.taskClock });
const machineRefused = refusal(machine);

function readWords(fd: number, words: number): bigint[] {
  const counts = new BigUint64Array(words);
  const size = readPerfEvent(fd, addressOf(counts.buffer), counts.byteLength);
  return [...counts.subarray(0, size / 8)];
}

test('openPerfEvent counts the CPU time of this process', { skip: ownRefused }, () => {
  const fd = openPerfEvent({ ...own, name: 'task-clock', config: softwareEvent.taskClock });
  burnCpuMs(20);
  const [ns = 0n] = readWords(fd, 1);
  closePerfEvent(fd);
  assert.ok(ns > 1_000_000n && ns < 10_000_000_000n, `${ns} ns`);
});

test('openPerfEvent counts a command and its children from exec on', { skip: ownRefused }, async () => {
  const script =
    'kill -STOP $$; exec sh -c "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sh -c : ; sh -c :"';
  const child = spawn('sh', ['-c', script], { stdio: 'ignore' });
  const pid = child.pid ?? 0;
  await until(() => readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') T '));
  const fd = openPerfEvent({
    ...own,
    name: 'task-clock',
    config: softwareEvent.taskClock,
    pid,
    disabled: true,
    inherit: true,
    enableOnExec: true,
  });
  const [before] = readWords(fd, 1);
  child.kill('SIGCONT');
  await once(child, 'exit');
  const [after = 0n] = readWords(fd, 1);
  closePerfEvent(fd);
  assert.equal(before, 0n);
  assert.ok(after > 1_000_000n, `${after} ns`);
});

test('openPerfEvent reads a group in one call, when a leader is given', { skip: machineRefused }, () => {
  const readFormat = perfReadFormat.group + perfReadFormat.totalTimeEnabled + perfReadFormat.totalTimeRunning;
  const leader = openPerfEvent({ ...machine, readFormat });
  const member = openPerfEvent({
    ...machine,
    name: 'context-switches',
    config: softwareEvent.contextSwitches,
    groupFd: leader,
    readFormat,
  });
  burnCpuMs(6);
  const words = readWords(leader, 5);
  closePerfEvent(member);
  closePerfEvent(leader);
  const [count, enabled = 0n, running, clock = 0n] = words;
  assert.equal(words.length, 5);
  assert.equal(count, 2n);
  // The CPU time was burnt by several threads at once, perhaps.
  assert.ok(enabled > 100_000n && enabled < 10_000_000_000n, `${enabled} ns`);
  assert.equal(running, enabled);
  assert.ok(clock > 100_000n && clock < 10_000_000_000n, `${clock} ns`);
});

test('openPerfEvent gives a descriptor that a started program does not get', { skip: ownRefused }, () => {
  const fd = openPerfEvent({ ...own, name: 'task-clock', config: softwareEvent.taskClock });
  const target = readlinkSync(`/proc/self/fd/${fd}`);
  const flags = /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0';
  closePerfEvent(fd);
  assert.match(target, /perf_event/);
  assert.equal(Number.parseInt(flags, 8) & 0o2000000, 0o2000000);
});

test('openPerfEvent names the event and the process, when there is none', { skip: ownRefused }, () => {
  const gone = spawnSync('true').pid;
  assert.throws(() => openPerfEvent({ ...own, name: 'task-clock', config: 1, pid: gone }), {
    name: 'PerfEventError',
    code: 'ESRCH',
    message: `Cannot open perf event "task-clock" of process ${gone}: ESRCH, there is no such process`,
  });
});

test('openPerfEvent reports that the machine has no such event', { skip: machineRefused }, () => {
  assert.throws(() => openPerfEvent({ ...machine, name: 'nonsense', config: 9999 }), {
    code: 'ENOENT',
    message: 'Cannot open perf event "nonsense" on cpu 0: ENOENT, this kernel or machine does not count it',
  });
});

test('readPerfEvent gives -1, when the descriptor is closed', { skip: ownRefused }, () => {
  const fd = openPerfEvent({ ...own, name: 'task-clock', config: softwareEvent.taskClock });
  closePerfEvent(fd);
  assert.equal(readPerfEvent(fd, addressOf(new ArrayBuffer(8)), 8), -1);
});

test('encodePerfAttr sends no more words than hold something, so that old kernels take them', () => {
  const event = { ...own, name: 'x', config: 1 };
  const sizes = [{}, { config1: 5n }, { config2: 6n }, { config3: 7n }].map((words) => {
    const attr = Buffer.from(encodePerfAttr({ ...event, ...words }));
    assert.equal(attr.readUInt32LE(4), attr.length);
    return attr.length;
  });
  assert.deepEqual(sizes, [64, 64, 72, 136]);
  const attr = Buffer.from(encodePerfAttr({ ...event, config1: 5n, config2: 6n, config3: 7n }));
  assert.deepEqual(
    [56, 64, 128].map((at) => attr.readBigUInt64LE(at)),
    [5n, 6n, 7n],
  );
});

const flagsOf = (flags: Partial<PerfEvent>) =>
  Buffer.from(encodePerfAttr({ name: 'x', type: 1, config: 1, pid: 0, cpu: -1, ...flags })).readBigUInt64LE(
    40,
  );

test('encodePerfAttr sets the bit of each flag', () => {
  assert.equal(flagsOf({ disabled: true, inherit: true, isPinned: true, isExclusive: true }), 0xfn);
  assert.equal(flagsOf({ excludeUser: true, excludeIdle: true, enableOnExec: true }), 0x1090n);
  assert.equal(flagsOf({ preciseIp: 3, excludeHost: true, excludeGuest: true }), 0x198000n);
  assert.equal(flagsOf({ inheritThread: true }), 1n << 35n);
});
