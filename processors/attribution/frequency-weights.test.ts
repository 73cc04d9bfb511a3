import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import type { Series } from '../../src/model/series.js';
import { byFrequency } from '../../src/usage/weighing.js';
import { listMisses } from './config.js';
import { createCounts, createEvent } from './counts.fixture.js';
import { DomainWeights } from './domain-weights.js';
import { factory } from './factory.js';
import { Rig, RigProcess } from './rig.fixture.js';

const [fast, slow, other] = [1, 2, 3].map((pid) => new RigProcess({ 'process.pid': pid }, 0));

/** A second in which each process is busy for one second and the machine for 4 s, and one package uses 90 J. */
function play(cycles: readonly (readonly [Series, number])[], weight: object = {}, sinceS = 0): Rig {
  const weights = [{ hw_type: 'cpu', model: 'frequency_cpu_time', ...weight }];
  const rig = new Rig({ cpu_count: 4, process_limit: 0, weights });
  const energy = rig.createMeter({ 'hw.id': 'cpu-package-0' });
  for (const atS of [0, 1, 2]) {
    rig.energy(energy, atS, 90 * atS);
    const counted = cycles.map(([series, hertz]) => [series, hertz * (atS - sinceS)] as const);
    if (counted.length > 0 && atS >= sinceS) rig.consume(createCounts(atS, counted));
    rig.usage(atS, [
      [fast, atS],
      [slow, atS],
      [other, atS],
    ]);
    rig.boundary(atS, 4 * atS);
  }
  return rig;
}

const round = (joules: Record<string, number>) =>
  Object.fromEntries(Object.entries(joules).map(([key, value]) => [key, Math.round(value * 1e6) / 1e6]));

const ofMachine = [createEvent('cycles'), 9e9] as const;
const ofFast = [createEvent('cycles', fast), 4e9] as const;
const ofSlow = [createEvent('cycles', slow), 1e9] as const;

test('attribution shares energy by cycles, and cycles that no process had by CPU time', () => {
  const rig = play([ofMachine, ofFast, ofSlow]);
  // The other one has half of the remaining time, and so half of the remaining cycles.
  assert.deepEqual(round(rig.processes()), { 1: 80, 2: 20, 3: 40 });
  assert.deepEqual(round(rig.parts('cpu-package-0')), { attributed: 140, unseen: 40 });
  const models = rig.out
    .last('process.energy')
    .map(({ series }) => series.attributes['energy.attribution.model']);
  assert.deepEqual([...new Set(models)], ['frequency_cpu_time']);
});

test('attribution applies the configured power of the frequency', () => {
  const rig = play([ofMachine, ofFast, ofSlow], { gamma: 2 });
  // 16 and 1, and 2 for each of the two remaining seconds, squared.
  const whole = 16 + 1 + 4 + 4;
  assert.deepEqual(
    round(rig.processes()),
    round({ 1: (180 * 16) / whole, 2: 180 / whole, 3: (180 * 4) / whole }),
  );
  const byTime = play([ofMachine, ofFast, ofSlow], { gamma: 0 });
  assert.deepEqual(round(byTime.processes()), { 1: 45, 2: 45, 3: 45 });
});

test('attribution weights the cycles of each kind of core by the cost of its second', () => {
  const counters = ['cpu_core/cycles/', 'cpu_atom/cycles/'];
  const [core, atom] = counters.map((name, i) => createEvent(name, [fast, slow][i]));
  const [allCore, allAtom] = counters.map((name) => createEvent(name));
  const counts = [
    [core, 4e9],
    [atom, 4e9],
    [allCore, 4e9],
    [allAtom, 4e9],
  ] as const;
  const shares = (weight: object) => {
    const joules = round(play(counts, { counters, ...weight }).processes());
    return ['1', '2', '3'].map((pid) => joules[pid] ?? 0);
  };
  assert.deepEqual(shares({}), [90, 90, 0]);
  assert.deepEqual(shares({ factors: [1, 0.25] }), [144, 36, 0]);
  // The factor applies to the energy, whatever the power of the frequency.
  assert.deepEqual(shares({ factors: [1, 0.25], gamma: 2 }), [144, 36, 0]);
});

const byCycles = (one: object) => Object.assign({ model: 'frequency_cpu_time', counters: ['a', 'b'] }, one);

const findProblems = (...weights: readonly object[]) => check(...weights.map(byCycles));

test('factory.check rejects inconsistent factors', () => {
  assert.deepEqual(findProblems({ factors: [1, 2] }, { hw_type: 'memory', factors: [1, 2] }), []);
  assert.match(
    String(findProblems({ factors: [1] })),
    /^weights\[0\]\.factors: expected one for each of counters, 2, found 1$/u,
  );
  assert.match(String(findProblems({ factors: [1, 0] })), /expected numbers above 0, found 1,0$/u);
  assert.match(
    String(findProblems({ factors: [1, 2], gamma: 0 })),
    /expected the same gamma above 0 .*, found 0$/u,
  );
  assert.match(
    String(findProblems({ factors: [1, 2] }, {})),
    /expected 1,2, as the first ones are, found none$/u,
  );
  assert.match(
    String(findProblems({ model: 'counters', factors: [1, 2] })),
    /expected none with model counters, found 1,2$/u,
  );
});

test('DomainWeights scales weights that are too large for exact sums', () => {
  const weights = new DomainWeights(
    { model: 'frequency_cpu_time', gamma: 3, counters: [], maxError: 0, isSet: true },
    undefined,
  );
  const weigh = (parts: readonly number[], whole: number) => {
    const usage = {
      firstTo: 1e9,
      to: 1e9,
      busyNs: 1,
      isGap: false,
      workloads: [],
      cpuNs: [1, 1],
      lifeNs: [],
    };
    const weighing = { weight: byFrequency, whole, parts, byTime: 0 } as const;
    const window = { from: 0, to: 1e9, energyNj: 1, refreshNs: 0, lagNs: 0, edgeNs: 0, tickNs: 0 };
    const { busyNs, cpuNs } = weights.weigh({ ...window, usage: { ...usage, weighing } }).window.usage;
    return [busyNs, ...cpuNs];
  };
  assert.deepEqual(weigh([3, 5], 9), [9, 3, 5]);
  const [busyNs = NaN, ...cpuNs] = weigh([2 ** 54 - 2, 2 ** 53], 2 ** 55 + 8);
  assert.deepEqual([busyNs, ...cpuNs], [2 ** 52 + 1, 2 ** 51 - 1, 2 ** 50]);
});

test('attribution adds up several events that count cycles', () => {
  const names = ['cpu_core/cycles/', 'cpu_atom/cycles/'];
  const [core, atom] = names.map((name) => createEvent(name, fast));
  const [allCore, allAtom] = names.map((name) => createEvent(name));
  const counts = [
    [core, 3e9],
    [atom, 1e9],
    [allCore, 8e9],
    [allAtom, 1e9],
  ] as const;
  assert.equal(round(play(counts, { counters: names }).processes())['1'], 80);
});

test('attribution shares energy by CPU time where cycles were not counted', () => {
  const rig = play([]);
  assert.deepEqual(round(rig.processes()), { 1: 45, 2: 45, 3: 45 });
  const models = rig.out
    .last('process.energy')
    .map(({ series }) => series.attributes['energy.attribution.model']);
  assert.deepEqual([...new Set(models)], ['cpu_time']);
});

test('attribution uses cycles that are counted later, and separates the energy shared by each weight', () => {
  const rig = play([ofMachine, ofFast, ofSlow], {}, 1);
  const own = rig.out
    .last('process.energy')
    .filter(({ series }) => series.resource.attributes['process.pid'] === 1)
    .map(({ series, value }) => [String(series.attributes['energy.attribution.model']), value]);
  assert.deepEqual(Object.fromEntries(own), { cpu_time: 22.5, frequency_cpu_time: 40 });
});

const parse = (...weights: readonly object[]) => parseSettings(factory.schema, { weights });

const check = (...weights: readonly object[]) => factory.check?.(parse(...weights));

test('factory.check requires the same events for all hardware that is shared by the same model', () => {
  const cycles = { model: 'frequency_cpu_time', counters: ['cycles'] };
  assert.deepEqual(check({ ...cycles, hw_type: 'cpu' }, { ...cycles, hw_type: 'memory' }), []);
  assert.deepEqual(
    check({ ...cycles, hw_type: 'cpu' }, { ...cycles, hw_type: 'memory', counters: ['ref-cycles'] }),
    ['weights[1].counters: expected the events of weights[0] (cycles), found ref-cycles'],
  );
});

test('listMisses returns the events of all kinds of hardware that are shared by memory traffic', () => {
  const dram = { hw_type: 'cpu', model: 'dram', counters: ['LLC-load-misses'] };
  assert.deepEqual(listMisses(parse()), ['cache-misses']);
  assert.deepEqual(listMisses(parse(dram)), ['LLC-load-misses']);
  assert.deepEqual(listMisses(parse({ hw_type: 'memory', model: 'cpu_time' })), []);
});
