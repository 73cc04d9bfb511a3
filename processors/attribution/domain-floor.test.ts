import assert from 'node:assert/strict';
import test from 'node:test';
import { CpuCount } from './cpu-count.js';
import { DomainFloor } from './domain-floor.js';
import { FloorLearner } from './floor-learner.js';
import { createGap, type Usage } from './usage.js';

const quiet: Usage = { firstTo: 0, to: 0, busyNs: 0, isGap: false, consumers: [], cpuNs: [], lifeNs: [] };

/** Half a second at 10 W. */
function windowOf(usage: Usage) {
  return { from: 0, to: 5e8, energyNj: 5e9, refreshNs: 0, tickNs: 0, usage };
}

test('DomainFloor prefers what was set to a model, and a model to what was learned', () => {
  const learner = new FloorLearner(
    new CpuCount(2),
    Array.from({ length: 60 }, () => 30),
  );
  const floor = new DomainFloor(undefined, learner);
  assert.deepEqual(floor.current, { watts: 30, source: 'learned' });
  floor.takeModel(NaN);
  assert.deepEqual(floor.current, { watts: 30, source: 'learned' });
  floor.takeModel(20);
  assert.deepEqual(floor.current, { watts: 20, source: 'model' });
  const set = new DomainFloor(10, learner);
  set.takeModel(20);
  assert.deepEqual(set.current, { watts: 10, source: 'set' });
});

test('DomainFloor learns from windows that follow each other, not across a gap', () => {
  const learner = new FloorLearner(new CpuCount(2));
  const floor = new DomainFloor(undefined, learner);
  floor.observe(windowOf(quiet));
  floor.observe(windowOf(createGap(0)));
  floor.observe(windowOf(quiet));
  assert.deepEqual(learner.quietWatts, []);
  floor.observe(windowOf(quiet));
  assert.deepEqual(learner.quietWatts, [10]);
});

test('DomainFloor knows nothing where nothing is set, said or learned', () => {
  const floor = new DomainFloor(undefined, undefined);
  floor.observe(windowOf(quiet));
  assert.equal(floor.current, undefined);
  assert.equal(floor.isLearnable, false);
});
