import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CpuClock, readBootTimeNs, readTickNs } from './clocks.js';

test('CpuClock reports what getrusage says, when it reads this process', () => {
  const clock = new CpuClock();
  const before = process.cpuUsage();
  assert.ok(clock.read(process.pid));
  const after = process.cpuUsage();
  const microseconds = clock.seconds * 1e6 + clock.nanoseconds / 1e3;
  // getrusage cuts user and system to microseconds, each for itself.
  assert.ok(microseconds >= before.user + before.system - 2, `${microseconds} ${JSON.stringify(before)}`);
  assert.ok(microseconds <= after.user + after.system + 2, `${microseconds} ${JSON.stringify(after)}`);
});

test('CpuClock reads a process of another user', () => {
  assert.ok(new CpuClock().read(1));
});

test('CpuClock says false, when the process is gone', () => {
  const { pid } = spawnSync('true');
  assert.equal(new CpuClock().read(pid), false);
});

test('readBootTimeNs runs with the uptime of the machine', () => {
  const uptimeSeconds = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  const bootSeconds = Number(readBootTimeNs()) / 1e9;
  assert.ok(Math.abs(bootSeconds - uptimeSeconds) < 60, `${bootSeconds} ${uptimeSeconds}`);
});

test('readTickNs gives the length of a tick that kernels are built with', () => {
  // HZ is 100, 250, 300 or 1000; the length is cut to nanoseconds.
  assert.ok([10_000_000, 4_000_000, 3_333_333, 1_000_000].includes(readTickNs()), `${readTickNs()}`);
});
