import assert from 'node:assert/strict';
import { cpus } from 'node:os';
import { test } from 'node:test';
import { CpuCount, FloorLearner, type Stretch } from './floor-learner.js';

/** A second of 2 CPUs with this power and use. */
function second(watts: number, use = 0): Stretch {
  return { durationNs: 1e9, energyNj: watts * 1e9, busyNs: use * 2e9 };
}

test('FloorLearner computes the median of 60 quiet windows', () => {
  const learner = new FloorLearner(new CpuCount(2));
  for (let i = 0; i < 59; i++) learner.observe(second(i < 10 ? 90 : 40), 1e6);
  assert.equal(learner.watts, undefined);
  learner.observe(second(42), 1e6);
  assert.equal(learner.watts, 40);
});

test('FloorLearner learns nothing from a busy machine', () => {
  const learner = new FloorLearner(new CpuCount(2));
  for (let i = 0; i < 1000; i++) learner.observe(second(100, 0.03), 1e6);
  assert.equal(learner.watts, undefined);
});

test('FloorLearner learns nothing while more than one CPU of a large machine is busy', () => {
  const learner = new FloorLearner(new CpuCount(256));
  const idle = { durationNs: 1e9, energyNj: 150e9 };
  for (let i = 0; i < 100; i++) learner.observe({ ...idle, busyNs: 1.1e9 }, 1e6);
  assert.equal(learner.watts, undefined);
  for (let i = 0; i < 60; i++) learner.observe({ ...idle, busyNs: 1e9 }, 1e6);
  assert.equal(learner.watts, 150);
});

test('FloorLearner combines short windows to a second and to a hundred refreshes', () => {
  const learner = new FloorLearner(new CpuCount(2));
  const window = { durationNs: 20e6, energyNj: 20e6, busyNs: 0 };
  for (let i = 0; i < 49; i++) learner.observe(window, 1e6);
  assert.equal(learner.quietWatts.length, 0);
  learner.observe(window, 1e6);
  assert.deepEqual(learner.quietWatts, [1]);
  for (let i = 0; i < 50; i++) learner.observe(window, 20e6);
  assert.equal(learner.quietWatts.length, 1);
  for (let i = 0; i < 50; i++) learner.observe(window, 20e6);
  assert.equal(learner.quietWatts.length, 2);
});

test('FloorLearner does not combine windows across an interruption', () => {
  const learner = new FloorLearner(new CpuCount(2));
  const half = { durationNs: 5e8, energyNj: 5e8, busyNs: 0 };
  learner.observe(half, 1e6);
  learner.interrupt();
  learner.observe(half, 1e6);
  assert.equal(learner.quietWatts.length, 0);
});

test('FloorLearner uses what an earlier run has learned from the start', () => {
  assert.equal(
    new FloorLearner(
      new CpuCount(2),
      Array.from({ length: 60 }, () => 17),
    ).watts,
    17,
  );
});

test('FloorLearner follows new quiet windows', () => {
  const learner = new FloorLearner(
    new CpuCount(2),
    Array.from({ length: 600 }, () => 40),
  );
  for (let i = 0; i < 301; i++) learner.observe(second(50), 1e6);
  assert.equal(learner.watts, 50);
});

test('FloorLearner forgets the windows of other hardware once 45 of the newest 60 show another power', () => {
  for (const watts of [30, 50]) {
    const learner = new FloorLearner(
      new CpuCount(2),
      Array.from({ length: 600 }, () => 40),
    );
    for (let i = 0; i < 44; i++) learner.observe(second(watts), 1e6);
    assert.equal(learner.watts, 40);
    learner.observe(second(watts), 1e6);
    assert.equal(learner.watts, watts);
  }
});

test('FloorLearner forgets a floor that busy windows stay below, and learns it again', () => {
  const learner = new FloorLearner(
    new CpuCount(2),
    Array.from({ length: 60 }, () => 40),
  );
  // One in ten is within the error of 2 W.
  for (let i = 0; i < 100; i++) learner.observe(second(i % 10 === 0 ? 38 : 37, 0.5), 1e6);
  assert.equal(learner.watts, 40);
  for (let i = 0; i < 9; i++) learner.observe(second(37, 0.5), 1e6);
  assert.equal(learner.watts, undefined);
  assert.deepEqual(learner.quietWatts, []);
  for (let i = 0; i < 60; i++) learner.observe(second(20), 1e6);
  assert.equal(learner.watts, 20);
});

test('CpuCount is that of this machine until the measured one reports its count', () => {
  const count = new CpuCount(null);
  assert.equal(count.value, cpus().length);
  count.read(4096);
  count.read(NaN);
  count.read(0);
  assert.equal(count.value, 4096);
});

test('CpuCount is the configured one, whatever the machine reports', () => {
  const count = new CpuCount(3);
  count.read(4096);
  assert.equal(count.value, 3);
});

test('CpuCount takes the number that a machine reports, as a whole number of at least 1', () => {
  const count = new CpuCount(null);
  const found = [3, 2.6, 0.2, NaN, 0, -1, Infinity].map((reported) => {
    count.read(reported);
    return count.value;
  });
  assert.deepEqual(found, [3, 3, 1, 1, 1, 1, 1]);
});
