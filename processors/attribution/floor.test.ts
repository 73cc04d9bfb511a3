import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CpuCount, FloorLearner } from '../../src/energy/floor-learner.js';
import type { Metric } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { createRandom } from '../../src/testing/random.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { createGap, type Usage } from '../../src/usage/usage.js';
import { Floor } from './floor.js';
import { Rig, unixNs } from './rig.fixture.js';

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

test('Floor is never negative, whatever a model or a calibration reports', () => {
  const floor = new Floor(undefined, undefined, -3);
  assert.equal(floor.current?.watts, 0);
  floor.takeModel(20);
  for (const watts of [-1, Infinity, -Infinity]) floor.takeModel(watts);
  assert.equal(floor.current?.watts, 20);
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

test('attribution uses the floor that an earlier run has learned on the same machine, from the first window on', () => {
  const state = join(createFolder(), 'floors.json');
  const run = (seconds: number, host: string) => {
    const rig = new Rig({ state_file: state });
    const meter = rig.createMeter({ 'energy.method': 'measured' });
    const own = { ...meter, resource: { attributes: { 'host.name': host } } };
    for (let atS = 0; atS <= seconds; atS++) {
      rig.energy(own, atS, 10 * atS);
      rig.boundary(atS, 0.01 * atS);
    }
    const floor = rig.out.last('attribution.floor.power').at(0);
    void rig.processor.shutdown();
    return floor && [floor.value, floor.series.attributes['floor.source']];
  };
  assert.deepEqual(run(65, 'one'), [10, 'learned']);
  assert.deepEqual(run(3, 'one'), [10, 'persisted']);
  assert.equal(run(3, 'another'), undefined);
  // What was learned on either machine is kept.
  assert.deepEqual(run(65, 'another'), [10, 'learned']);
  assert.deepEqual(run(3, 'one'), [10, 'persisted']);
});

test('attribution uses a learned floor only on the machine of its root folder, when a meter names no machine', () => {
  const state = join(createFolder(), 'floors.json');
  const run = (seconds: number, root: string) => {
    const rig = new Rig({ state_file: state, root });
    const meter = { ...rig.createMeter({ 'energy.method': 'measured' }), resource: { attributes: {} } };
    for (let atS = 0; atS <= seconds; atS++) {
      rig.energy(meter, atS, 10 * atS);
      rig.boundary(atS, 0.01 * atS);
    }
    const floor = rig.out.last('attribution.floor.power').at(0);
    void rig.processor.shutdown();
    return floor?.series.attributes['floor.source'];
  };
  const [one, another] = ['1', '2'].map((digit) => createMachine(digit.repeat(32)));
  assert.equal(run(65, one), 'learned');
  assert.equal(run(3, one), 'persisted');
  assert.equal(run(3, another), undefined);
});

/** The root folder of a machine. */
function createMachine(id: string): string {
  const root = createFolder();
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc/machine-id'), id);
  return root;
}

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

test('attribution does not use the floor of other hardware that an earlier run has learned', () => {
  const state = join(createFolder(), 'floors.json');
  const run = (seconds: number, watts: number, use: number) => {
    const rig = new Rig({ state_file: state, cpu_count: 2 });
    const meter = rig.createMeter({ 'energy.method': 'measured' });
    for (let atS = 0; atS <= seconds; atS++) {
      rig.energy(meter, atS, watts * atS);
      rig.boundary(atS, use * atS);
    }
    void rig.processor.shutdown();
    const live = new Set(rig.out.last('attribution.floor.power'));
    for (const { ended = [] } of rig.out.tables) {
      for (const one of live) if (ended.includes(one.series)) live.delete(one);
    }
    return [...live].map(({ value, series }) => [value, series.attributes['floor.source']]);
  };
  assert.deepEqual(run(65, 40, 0), [[40, 'learned']]);
  // A processor that uses 25 W while busy, and 15 W when it is quiet.
  assert.deepEqual(run(20, 25, 1), []);
  assert.deepEqual(run(65, 15, 0), [[15, 'learned']]);
});
