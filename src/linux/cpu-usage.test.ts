import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CpuUsage, cpuUsageNumbers } from './cpu-usage.js';

test('CpuUsage divides the clock as the ticks say', () => {
  const usage = new CpuUsage();
  usage.update({ seconds: 2, nanoseconds: 500_000_001 }, 150, 50);
  assert.equal(usage.userNs, 1_875_000_001);
  assert.equal(usage.systemNs, 625_000_000);
});

test('CpuUsage calls it user time, while there is no tick', () => {
  const usage = new CpuUsage();
  usage.update({ seconds: 0, nanoseconds: 7_000_000 }, 0, 0);
  assert.deepEqual([usage.userNs, usage.systemNs], [7_000_000, 0]);
});

test('CpuUsage lets neither part fall and keeps the sum, when the ticks change their mind', () => {
  const usage = new CpuUsage();
  usage.update({ seconds: 0, nanoseconds: 10_000_000 }, 0, 0);
  usage.update({ seconds: 0, nanoseconds: 12_000_000 }, 0, 1);
  assert.deepEqual([usage.userNs, usage.systemNs], [10_000_000, 2_000_000]);
  usage.update({ seconds: 0, nanoseconds: 13_000_000 }, 5, 1);
  assert.deepEqual([usage.userNs, usage.systemNs], [10_833_333, 2_166_667]);
  usage.update({ seconds: 0, nanoseconds: 14_000_000 }, 500, 1);
  assert.deepEqual([usage.userNs, usage.systemNs], [11_833_333, 2_166_667]);
});

test('CpuUsage counts from 0, when it was restarted, and to the nanosecond in a long life', () => {
  const usage = new CpuUsage();
  usage.update({ seconds: 123_456_789, nanoseconds: 999_999_999 }, 12_345_678_900, 0);
  usage.restart();
  assert.deepEqual([usage.userNs, usage.systemNs], [0, 0]);
  usage.update({ seconds: 123_456_791, nanoseconds: 1 }, 12_345_679_000, 0);
  assert.equal(usage.userNs + usage.systemNs, 1_000_000_002);
});

test('CpuUsage does not change, when the clock runs backwards', () => {
  const usage = new CpuUsage();
  usage.update({ seconds: 5, nanoseconds: 0 }, 500, 0);
  usage.update({ seconds: 4, nanoseconds: 0 }, 500, 0);
  assert.equal(usage.userNs + usage.systemNs, 5e9);
});

test('CpuUsage knows where the clock stood', () => {
  const usage = new CpuUsage();
  usage.update({ seconds: 5, nanoseconds: 9 }, 0, 0);
  assert.equal(usage.isAt(5, 9), true);
  assert.equal(usage.isAt(5, 10), false);
  assert.equal(usage.isAt(6, 9), false);
});

test('CpuUsage takes ticks alone', () => {
  const usage = new CpuUsage();
  usage.updateFromTicks(123, 45);
  assert.deepEqual([usage.userNs, usage.systemNs], [1_230_000_000, 450_000_000]);
});

test('CpuUsage keeps the numbers of several counts apart, when it moves between them', () => {
  const usage = new CpuUsage();
  const numbers = Array.from({ length: 2 * cpuUsageNumbers }, () => 0);
  for (const first of [0, cpuUsageNumbers]) usage.moveTo(numbers, first).begin();
  usage.moveTo(numbers, 0).update({ seconds: 5, nanoseconds: 9 }, 0, 0);
  usage.moveTo(numbers, cpuUsageNumbers).update({ seconds: 1, nanoseconds: 0 }, 1, 1);
  assert.deepEqual([usage.userNs, usage.systemNs], [5e8, 5e8]);
  usage.moveTo(numbers, 0).updateTotal({ seconds: 6, nanoseconds: 9 });
  assert.deepEqual([usage.userNs, usage.systemNs, usage.isAt(6, 9)], [6_000_000_009, 0, true]);
});
