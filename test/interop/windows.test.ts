import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { factory as aggregation } from '../../processors/aggregation/factory.js';
import { factory as formula } from '../../processors/formula/factory.js';
import { factory as interval } from '../../processors/interval/factory.js';
import { factory as thin } from '../../processors/thin/factory.js';
import type { ProcessorFactory } from '../../src/component/component.js';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import type { Schema } from '../../src/component/schema.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Metric, Series } from '../../src/model/series.js';
import { createRow, timeOf, type Table } from '../../src/model/table.js';
import { StepRate } from '../../src/rating/rate.js';
import { RatedEnergy } from '../../src/rating/rated-energy.js';
import { createRandom } from '../../src/testing/random.fixture.js';
import { isWithout, peerPath } from './peers.js';

const script = fileURLToPath(new URL('../../../test/interop/peers/compute_windows.py', import.meta.url));
const skip = isWithout('pandas');
/** A multiple of the window. */
const epoch = 1_800_000_000_000_000_000n;
const windowNs = 10e9;
const error = 5;

const energy: Metric = {
  name: 'hw.energy',
  unit: 'J',
  description: '',
  kind: 'counter',
  valueType: 'double',
};
const power: Metric = { name: 'hw.power', unit: 'W', description: '', kind: 'gauge', valueType: 'double' };
const series: readonly Series[] = [energy, power].map((metric) => ({
  metric,
  resource: { attributes: {} },
  attributes: {},
  start: epoch,
}));

/** Readings at irregular times, some windows apart, in tables of one row and of many. */
interface Case {
  readonly times: readonly number[];
  readonly joules: readonly number[];
  readonly watts: readonly number[];
}

function createCase(seed: number): Case {
  const random = createRandom(seed);
  const [times, joules, watts] = [[0], [0], [random.fraction() * 100]];
  for (let i = 1; i < 500; i++) {
    const passed = 1 + random.whole(random.fraction() < 0.02 ? 2 * windowNs : 1e9);
    const load = random.fraction() < 0.1 ? 1000 * random.fraction() : 100;
    times.push((times[i - 1] ?? NaN) + passed);
    joules.push((joules[i - 1] ?? NaN) + (load * passed) / 1e9);
    watts.push(random.fraction() * load);
  }
  return { times, joules, watts };
}

function listTables({ times, joules, watts }: Case): readonly Table[] {
  const tables: Table[] = [];
  for (let from = 0; from < times.length;) {
    const to = Math.min(times.length, from + 1 + (from % 17));
    const rows = times.slice(from, to);
    const values = rows.flatMap((_, i) => [joules[from + i] ?? NaN, watts[from + i] ?? NaN]);
    const first = rows[0] ?? NaN;
    tables.push({
      series,
      epoch: epoch + BigInt(first),
      offsets: Float64Array.from(rows, (time) => time - first),
      values: Float64Array.from(values),
    });
    from = to;
  }
  return tables;
}

/** Output of a processor by metric: times in nanoseconds after the epoch, and values. */
function run(factory: ProcessorFactory, settings: object, one: Case) {
  const out = createTableCollector();
  const processor = factory.create(parseSettings<Schema>(factory.schema, settings), createFakeContext(), out);
  for (const table of listTables(one)) processor.consume(table);
  void processor.shutdown();
  return (name: string): readonly (readonly [number, number])[] =>
    out.tables.flatMap((table) => listPoints(table, name));
}

function listPoints(table: Table, name: string): readonly (readonly [number, number])[] {
  const column = table.series.findIndex(({ metric }) => metric.name === name);
  if (column < 0) return [];
  return Array.from(table.offsets, (_, row): readonly [number, number] => [
    Number(timeOf(table, row) - epoch),
    table.values[row * table.series.length + column] ?? NaN,
  ]).filter(([, value]) => !Number.isNaN(value));
}

interface Expected {
  readonly gauge: Readonly<Record<string, readonly number[]>>;
  readonly counter: Readonly<Record<string, readonly number[]>>;
  readonly interval: readonly (readonly [number, number])[];
  readonly formula: readonly number[];
  readonly thin: { readonly error: number; readonly foreign: number };
  readonly rated: readonly number[];
}

function compute(one: Case, more: object): Expected {
  const input = JSON.stringify({ windowNs, thinned: [[0, 0]], rates: [[0, 1]], ...one, ...more });
  return JSON.parse(execFileSync(peerPath('pandas'), [script], { input, maxBuffer: 2 ** 26 }).toString());
}

/** @param relative maximum difference relative to the values */
function assertNear(
  found: readonly number[],
  expected: readonly number[],
  what: string,
  relative = 1e-9,
): void {
  assert.equal(found.length, expected.length, `${what}: ${found.length} values, expected ${expected.length}`);
  for (const [i, value] of expected.entries()) {
    const distance = Math.abs((found[i] ?? NaN) - value);
    assert.ok(distance <= relative * Math.max(1, Math.abs(value)), `${what}: ${found[i]}, expected ${value}`);
  }
}

const valueOf = ([, value]: readonly [number, number]) => value;
const seeds = [1, 2, 3];

test('pandas computes the same functions of windows as aggregation', { skip }, () => {
  const functions = ['sum', 'mean', 'min', 'max', 'last', 'p50', 'p99.9'];
  const settings = {
    interval: '10s',
    max_lag: '60s',
    aggregations: [
      { metrics: ['hw.power'], functions },
      { metrics: ['hw.energy'], functions: ['sum', 'mean', 'min', 'max', 'last', 'p90'] },
    ],
  };
  for (const seed of seeds) {
    const one = createCase(seed);
    const expected = compute(one, {});
    const pointsOf = run(aggregation, settings, one);
    for (const name of functions) {
      const found = pointsOf(name === 'last' ? 'hw.power' : `hw.power.${name}`);
      assertNear(found.map(valueOf), expected.gauge[name] ?? [], name);
    }
    for (const [name, values] of Object.entries(expected.counter)) {
      const metric =
        name === 'last' ? 'hw.energy' : name === 'sum' ? 'hw.energy.sum' : `hw.energy.rate.${name}`;
      assertNear(pointsOf(metric).map(valueOf), values, `${metric} of seed ${seed}`);
    }
    const times = pointsOf('hw.energy.sum').map(([time]) => time);
    assert.deepEqual(
      times.slice(0, -1),
      times.slice(0, -1).map((_, i) => (i + 1) * windowNs),
    );
  }
});

test('pandas finds the same last rows as interval', { skip }, () => {
  for (const seed of seeds) {
    const one = createCase(seed);
    assert.deepEqual(run(interval, { interval: '10s' }, one)('hw.energy'), compute(one, {}).interval);
  }
});

test('NumPy computes the same results as formula, from the integral of the gauge', { skip }, () => {
  const inputs = [
    { name: 'energy', metric: 'hw.energy' },
    { name: 'power', metric: 'hw.power' },
  ];
  const settings = {
    window: '10s',
    max_lag: '60s',
    formulas: [{ name: 'x', expression: 'energy * power', inputs }],
  };
  for (const seed of seeds) {
    const one = createCase(seed);
    assertNear(run(formula, settings, one)('x').map(valueOf), compute(one, {}).formula, `seed ${seed}`);
  }
});

test('NumPy finds every reading within the error of the curve kept by thin', { skip }, () => {
  for (const seed of seeds) {
    const one = createCase(seed);
    const thinned = run(thin, { error, heartbeat: '1h' }, one)('hw.energy');
    assert.ok(thinned.length < one.times.length, `${thinned.length} points`);
    const { thin: found } = compute(one, { thinned });
    assert.equal(found.foreign, 0);
    assert.ok(found.error <= error * (1 + 1e-9), `${found.error}`);
    assert.ok(found.error > error / 10, `${found.error}: the curve could have had fewer points`);
  }
});

test('NumPy integrates a rate that changes to the same as carbon and cost', { skip }, () => {
  for (const seed of seeds) {
    const one = createCase(seed);
    const random = createRandom(seed);
    const rates = Array.from({ length: 40 }, (_, i) => [i * 7e9, random.fraction() * 400]);
    const rate = new StepRate();
    rate.replace(rates.map(([at = NaN, factor = NaN]) => ({ at: Number(epoch) + at, factor })));
    const grams: Metric = { ...energy, name: 'hw.carbon', unit: 'g' };
    const rated = new RatedEnergy({
      metricOf: (name) => (name === energy.name ? grams : undefined),
      attributes: {},
      rate,
    });
    const found = one.times.map((time, i) => {
      const table = rated.apply(
        createRow(series, epoch + BigInt(time), Float64Array.of(one.joules[i] ?? NaN, 0)),
      );
      return table?.values[0] ?? NaN;
    });
    // At Unix times, doubles are 256 ns apart.
    assertNear(found, compute(one, { rates }).rated, `seed ${seed}`, 1e-6);
  }
});
