import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Metric, Series } from '../model/series.js';
import { hwEnergy } from '../model/shared-metrics.js';
import { createEnding, createRow, type Table } from '../model/table.js';
import { createConstantRate, StepRate, type Rate } from './rate.js';
import { RatedEnergy } from './rated-energy.js';

const epochS = 1_800_000_000;
const metric: Metric = {
  name: 'hw.cost',
  unit: '{EUR}',
  description: '',
  kind: 'counter',
  valueType: 'double',
};

function seriesOf(startS = 0, energy: Metric = hwEnergy): Series {
  return { metric: energy, resource: { attributes: {} }, attributes: { id: 1 }, start: unixNs(startS) };
}

function unixNs(seconds: number): bigint {
  return BigInt(epochS + seconds) * 1_000_000_000n;
}

function rowAt(atS: number, series: readonly Series[], values: readonly number[]): Table {
  return createRow(series, unixNs(atS), Float64Array.from(values));
}

function create(rate: Rate): RatedEnergy {
  return new RatedEnergy({
    metricOf: (name) => (name === hwEnergy.name ? metric : undefined),
    attributes: { currency: 'EUR' },
    rate,
  });
}

/** The values of one column after another. */
function valuesOf(rated: RatedEnergy, tables: readonly Table[]): readonly number[] {
  return tables.flatMap((table) => [...(rated.apply(table)?.values ?? [])]);
}

/** Points in seconds after the epoch. */
function stepsOf(points: readonly (readonly [number, number])[]): StepRate {
  const rate = new StepRate();
  rate.replace(points.map(([atS, factor]) => ({ at: (epochS + atS) * 1e9, factor })));
  return rate;
}

test('RatedEnergy multiplies the counters that are rated, with attributes of its own, and leaves others out', () => {
  const rated = create(createConstantRate(2));
  const other = seriesOf(0, { ...hwEnergy, name: 'rapl.energy' });
  const table = rated.apply(rowAt(1, [other, seriesOf()], [5, 3]));
  assert.deepEqual([...(table?.values ?? [])], [6]);
  assert.deepEqual(table?.series, [{ ...seriesOf(), metric, attributes: { id: 1, currency: 'EUR' } }]);
  assert.equal(rated.apply(rowAt(1, [other], [5])), undefined);
});

test('RatedEnergy uses the mean of the rate where it changed between two readings', () => {
  const series = [seriesOf()];
  const rated = create(
    stepsOf([
      [0, 1],
      [15, 3],
    ]),
  );
  const found = valuesOf(rated, [rowAt(10, series, [10]), rowAt(20, series, [20]), rowAt(30, series, [30])]);
  assert.deepEqual(found, [10, 30, 60]);
});

test('RatedEnergy uses the mean of a rate that changed and changed back between two readings', () => {
  const series = [seriesOf()];
  const rated = create(
    stepsOf([
      [0, 1],
      [12, 5],
      [14, 1],
    ]),
  );
  // 8 s at 1 and 2 s at 5 are 1.8 on average.
  const found = valuesOf(rated, [rowAt(10, series, [10]), rowAt(20, series, [20]), rowAt(30, series, [30])]);
  assert.deepEqual(found, [10, 28, 38]);
});

test('RatedEnergy has a gap for a gap and for a rate that is not known, and counts nothing twice', () => {
  const series = [seriesOf()];
  const rate = new StepRate();
  const rated = create(rate);
  assert.deepEqual(valuesOf(rated, [rowAt(10, series, [10])]), [NaN]);
  rate.add({ at: (epochS + 15) * 1e9, factor: 2 });
  const found = valuesOf(rated, [
    rowAt(20, series, [20]),
    rowAt(30, series, [NaN]),
    rowAt(40, series, [40]),
    rowAt(40, series, [40]),
  ]);
  assert.deepEqual(found, [40, NaN, 80, 80]);
});

test('RatedEnergy begins with 0 for a counter that was reset, and continues where one falls without a reset', () => {
  const [before, after] = [seriesOf(), seriesOf(30)];
  const rated = create(createConstantRate(2));
  assert.deepEqual(
    valuesOf(rated, [rowAt(10, [before], [10]), rowAt(20, [before], [4]), rowAt(25, [before], [5])]),
    [20, 20, 22],
  );
  const ending = rated.apply(createEnding([before], unixNs(30)));
  assert.deepEqual(
    ending?.ended?.map((one) => one.metric),
    [metric],
  );
  assert.deepEqual(valuesOf(rated, [rowAt(40, [after], [1])]), [2]);
});

test('RatedEnergy values all that a counter with a very old start has counted at the mean of the rate since then', () => {
  const rated = create(
    stepsOf([
      [-1_000_000, 1],
      [0, 3],
    ]),
  );
  assert.deepEqual(valuesOf(rated, [rowAt(1_000_000, [seriesOf(-1_000_000)], [100])]), [200]);
});
