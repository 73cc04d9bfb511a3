import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advance, createTimer, findNext } from './schedule.js';

test('createTimer creates a timer that is due one period later', () => {
  assert.deepEqual(createTimer(100, 1000), { periodNs: 100, deadlineNs: 1100, lastNs: 1000 });
});

test('advance keeps to the grid of deadlines if the run was in time', () => {
  const timer = createTimer(100, 1000);
  assert.equal(advance(timer, 1130), 0);
  assert.deepEqual(timer, { periodNs: 100, deadlineNs: 1200, lastNs: 1130 });
  assert.equal(advance(timer, 1299), 0);
  assert.equal(timer.deadlineNs, 1300);
});

test('advance counts the missed deadlines and continues with the first in the future', () => {
  const timer = createTimer(100, 1000);
  assert.equal(advance(timer, 1450), 3);
  assert.equal(timer.deadlineNs, 1500);
});

test('advance treats a deadline of the current instant as passed', () => {
  const timer = createTimer(100, 1000);
  assert.equal(advance(timer, 1200), 1);
  assert.equal(timer.deadlineNs, 1300);
});

test('advance keeps the deadline if the run was ahead of it', () => {
  const timer = createTimer(100, 1000);
  assert.equal(advance(timer, 1050), 0);
  assert.deepEqual(timer, { periodNs: 100, deadlineNs: 1100, lastNs: 1050 });
});

test('findNext finds the earliest deadline, and the first of two equal ones', () => {
  const [late, early, alsoEarly] = [300, 200, 200].map((deadlineNs) => ({
    timer: { periodNs: 1, deadlineNs, lastNs: 0 },
  }));
  assert.equal(findNext([late, early, alsoEarly]), early);
  assert.equal(findNext([alsoEarly, early]), alsoEarly);
  assert.equal(findNext([late]), late);
  assert.equal(findNext([]), undefined);
});
