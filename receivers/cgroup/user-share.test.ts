import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserShare } from './user-share.js';

function divide(...readings: readonly [number, number, number][]) {
  const share = new UserShare();
  return readings.map(([usage, user, system]) => {
    share.update(usage, user, system);
    return [share.user, share.system];
  });
}

test('UserShare divides CPU time in proportion to samples', () => {
  assert.deepEqual(divide([1000, 30, 10], [2000, 100, 100]), [
    [750, 250],
    [1000, 1000],
  ]);
});

test('UserShare counts all as user time while there are no samples', () => {
  assert.deepEqual(divide([7, 0, 0]), [[7, 0]]);
});

test('UserShare never decreases either part, and keeps their sum', () => {
  assert.deepEqual(divide([100, 1, 0], [110, 1, 9], [300, 0, 1], [250, 1, 0], [301, 1, 0]), [
    [100, 0],
    [100, 10],
    [100, 200],
    [100, 200],
    [101, 200],
  ]);
});
