import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Timeline } from './timeline.js';

const suspend = (atUs: number, forUs: number) => ({ kind: 'suspend', atUs, forUs }) as const;

test('Timeline does not change while the machine is suspended', () => {
  const timeline = new Timeline([suspend(100, 50), suspend(200, 10), { kind: 'reset', atUs: 5, forUs: 9 }]);
  assert.deepEqual(
    [0, 100, 120, 150, 200, 205, 210, 300].map((us) => timeline.awakeAt(us)),
    [0, 100, 100, 100, 150, 150, 150, 240],
  );
  assert.deepEqual(
    [99, 100, 149, 150, 209, 210].map((us) => timeline.isSuspended(us)),
    [false, true, true, false, true, false],
  );
});

test('Timeline takes suspends that overlap for one', () => {
  const timeline = new Timeline([suspend(120, 50), suspend(100, 50), suspend(110, 5)]);
  assert.deepEqual(
    [100, 169, 170, 180].map((us) => timeline.awakeAt(us)),
    [100, 100, 100, 110],
  );
  assert.deepEqual([timeline.isSuspended(169), timeline.isSuspended(170)], [true, false]);
});

test('Timeline finds the simulated time of a time awake', () => {
  const timeline = new Timeline([suspend(100, 50), suspend(200, 10)]);
  for (const us of [0, 50, 100, 151, 199, 200, 211, 500]) {
    assert.equal(timeline.simulatedAt(timeline.awakeAt(us)), us);
  }
});
