import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RestartDetector } from './restart-detector.js';

function hasRestarted(uptimes: readonly (number | undefined)[]): readonly boolean[] {
  const detector = new RestartDetector();
  return uptimes.map((uptime, i) => detector.hasRestarted(uptime, BigInt(i) * 60_000_000_000n));
}

test('RestartDetector compares the uptime with its own clock', () => {
  assert.deepEqual(hasRestarted([1000, 1060, 1119, 1179]), [false, false, false, false]);
  // It restarts immediately, soon, and after some time without readings.
  assert.deepEqual(hasRestarted([1000, 3, 63]), [false, true, false]);
  assert.deepEqual(hasRestarted([10, 40]), [false, true]);
  assert.deepEqual(hasRestarted([10, undefined, undefined, 100]), [false, false, false, true]);
  assert.deepEqual(hasRestarted([undefined, 10]), [false, false]);
});

test('RestartDetector detects a second restart soon after the first one', () => {
  const detector = new RestartDetector();
  assert.equal(detector.hasRestarted(3, 0n), false);
  assert.equal(detector.hasRestarted(0, 1_000_000_000n), true);
});
