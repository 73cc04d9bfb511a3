import assert from 'node:assert/strict';
import { cpus } from 'node:os';
import { test } from 'node:test';
import { CpuCount, FloorLearner, type Stretch } from '../../src/energy/floor-learner.js';
import type { Metric } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { createRandom } from '../../src/testing/random.fixture.js';
import { createGap, type Usage } from '../../src/usage/usage.js';
import { Floor } from './floor.js';
import { Rig, unixNs } from './rig.fixture.js';

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

const quiet: Usage = { firstTo: 0, to: 0, busyNs: 0, isGap: false, workloads: [], cpuNs: [], lifeNs: [] };

/** Half a second at 10 W. */
function windowOf(usage: Usage) {
  return { from: 0, to: 5e8, energyNj: 5e9, refreshNs: 0, lagNs: 0, edgeNs: 0, tickNs: 0, usage };
}

test('Floor prefers a configured value to a model, and a model to a learned value', () => {
  const learner = new FloorLearner(
    new CpuCount(2),
    Array.from({ length: 60 }, () => 30),
  );
  const floor = new Floor(undefined, learner);
  assert.deepEqual(floor.current, { watts: 30, source: 'persisted', errorWatts: 1.5 });
  floor.takeModel(NaN);
  assert.deepEqual(floor.current, { watts: 30, source: 'persisted', errorWatts: 1.5 });
  floor.takeModel(20);
  assert.deepEqual(floor.current, { watts: 20, source: 'model', errorWatts: 0 });
  const set = new Floor(10, learner);
  set.takeModel(20);
  assert.deepEqual(set.current, { watts: 10, source: 'set', errorWatts: 0 });
});

test('Floor comes from an earlier run until this one has learned one', () => {
  const learner = new FloorLearner(
    new CpuCount(2),
    Array.from({ length: 60 }, () => 10),
  );
  const floor = new Floor(undefined, learner);
  floor.observe(windowOf(quiet));
  assert.equal(floor.current?.source, 'persisted');
  floor.observe(windowOf(quiet));
  assert.deepEqual(floor.current, { watts: 10, source: 'learned', errorWatts: 0.5 });
});

test('Floor learns from contiguous windows, not across a gap', () => {
  const learner = new FloorLearner(new CpuCount(2));
  const floor = new Floor(undefined, learner);
  floor.observe(windowOf(quiet));
  floor.observe(windowOf(createGap(0)));
  floor.observe(windowOf(quiet));
  assert.deepEqual(learner.quietWatts, []);
  floor.observe(windowOf(quiet));
  assert.deepEqual(learner.quietWatts, [10]);
});

test('Floor is unknown if it is not configured, reported or learned', () => {
  const floor = new Floor(undefined, undefined);
  floor.observe(windowOf(quiet));
  assert.equal(floor.current, undefined);
  assert.equal(floor.isLearnable, false);
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

const logicalCount: Metric = {
  name: 'system.cpu.logical.count',
  unit: '{cpu}',
  description: '',
  kind: 'updowncounter',
  valueType: 'int',
};

/** A machine that uses 10 W and one whole CPU for 62 s. */
function play(cpuCount: number, settings: object): Rig {
  const rig = new Rig({ cpu_count: null, ...settings });
  const meter = rig.createMeter({ 'energy.method': 'measured' });
  const series = { metric: logicalCount, resource: meter.resource, attributes: {}, start: unixNs(0) };
  rig.consume(createRow([series], unixNs(0), Float64Array.of(cpuCount)));
  for (let atS = 0; atS <= 62; atS++) {
    rig.energy(meter, atS, 10 * atS);
    rig.boundary(atS, atS);
  }
  return rig;
}

test('attribution determines quiet windows by the CPUs of the measured machine', () => {
  // One busy CPU of 4096 is quiet, of 8 it is not, whatever the number of CPUs of the test machine.
  assert.equal(play(4096, {}).out.last('attribution.floor.power').at(0)?.value, 10);
  assert.deepEqual(play(8, {}).out.last('attribution.floor.power'), []);
  assert.deepEqual(play(4096, { cpu_count: 8 }).out.last('attribution.floor.power'), []);
});

/**
 * A noisy machine of two CPUs and 40 W with noise of 2 W, and 30 W more for each busy CPU. @returns its learned
 * floor
 */
function learnNoisyFloor(seed: number, isEverQuiet: boolean): number | undefined {
  const random = createRandom(seed);
  const rig = new Rig();
  const meter = rig.createMeter({ 'energy.method': 'measured' });
  let [joules, busyS] = [0, 0];
  for (let atS = 0; atS <= 600; atS++) {
    rig.energy(meter, atS, joules);
    rig.boundary(atS, busyS);
    const isQuiet = isEverQuiet && Math.floor(atS / 60) % 2 === 0;
    const usedS = isQuiet ? 0.04 * random.fraction() : 0.1 + 1.9 * random.fraction();
    joules += 40 + 4 * (random.fraction() + random.fraction() + random.fraction() - 1.5) + 30 * usedS;
    busyS += usedS;
  }
  return rig.out.last('attribution.floor.power').at(0)?.value;
}

test('attribution learns a floor within 5 % on a noisy machine that is sometimes quiet, and none on one that never is', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const watts = learnNoisyFloor(seed, true) ?? NaN;
    assert.ok(Math.abs(watts / 40 - 1) <= 0.05, `${watts} W with seed ${seed}`);
    assert.equal(learnNoisyFloor(seed, false), undefined);
  }
});
