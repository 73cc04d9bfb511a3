import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Metric, Series } from '../model/series.js';
import { createRow, type Table } from '../model/table.js';
import { fc } from '../testing/fixed-seed.fixture.js';
import { holdsFor } from '../testing/property.fixture.js';
import { Batcher } from './batcher.js';
import { decodePoints, type DecodedPoint } from './decode-request.fixture.js';

const epoch = 1_795_000_001_000_000_000n;

function metricOf(options: Partial<Metric> = {}, initial: 'auto' | 'keep' | 'drop' = 'auto'): Metric {
  return {
    name: 'hw.energy',
    unit: 'J',
    description: '',
    kind: 'counter',
    valueType: 'double',
    delta: { initial, since: epoch },
    ...options,
  };
}

function seriesOf(metric = metricOf(), id = 'a', start = epoch): Series {
  return { metric, resource: { attributes: {} }, attributes: { id }, start };
}

/** The points that the official decoder reads in the requests for these tables, one table after another. */
function send(tables: readonly Table[], batcher = createBatcher()): readonly DecodedPoint[] {
  for (const table of tables) batcher.add(table);
  batcher.flush();
  return batcher.sent.splice(0);
}

function createBatcher() {
  const sent: DecodedPoint[] = [];
  const batcher = new Batcher({ maxPoints: 8192, maxBytes: 3.5 * 2 ** 20 }, ({ bytes }) =>
    sent.push(...decodePoints(bytes)),
  );
  return Object.assign(batcher, { sent });
}

/** Start and time in seconds after the epoch, and value. */
function shorten({ start, time, value }: DecodedPoint): readonly [number, number, number] {
  return [Number(start - epoch) / 1e9, Number(time - epoch) / 1e9, Number(value)];
}

function rowAt(atS: number, series: readonly Series[], values: readonly number[]): Table {
  return createRow(series, epoch + BigInt(Math.round(atS * 1e9)), Float64Array.from(values));
}

test('Deltas are the growth between two points, each from the time of the previous point', () => {
  const series = [seriesOf()];
  const points = send([rowAt(1, series, [5]), rowAt(2, series, [5]), rowAt(3.5, series, [7])]);
  assert.deepEqual(points.map(shorten), [
    [0, 1, 5],
    [1, 2, 0],
    [2, 3.5, 2],
  ]);
  assert.deepEqual([...new Set(points.map(({ kind }) => kind))], ['sum 1 true']);
});

test('Deltas of tables with many rows and of other series in the same table', () => {
  const gauge: Metric = { name: 'hw.power', unit: 'W', description: '', kind: 'gauge', valueType: 'double' };
  const { delta: _, ...cumulative } = metricOf({ name: 'other' });
  const series = [seriesOf(), seriesOf(gauge), seriesOf(cumulative), seriesOf(metricOf(), 'b')];
  const points = send([
    {
      series,
      epoch,
      offsets: Float64Array.of(1e9, 2e9),
      values: Float64Array.of(1, 100, 10, 2, 4, 101, 20, 8),
    },
  ]);
  const of = (name: string, id: string) =>
    points.filter((point) => point.name === name && point.attributes['id'] === id).map(shorten);
  assert.deepEqual(of('hw.energy', 'a'), [
    [0, 1, 1],
    [1, 2, 3],
  ]);
  assert.deepEqual(of('hw.energy', 'b'), [
    [0, 1, 2],
    [1, 2, 6],
  ]);
  assert.deepEqual(
    of('hw.power', 'a').map(([, , watts]) => watts),
    [100, 101],
  );
  assert.deepEqual(of('other', 'a'), [
    [0, 1, 10],
    [0, 2, 20],
  ]);
});

test('Deltas have no point for a gap, and the next one spans it', () => {
  const series = [seriesOf(), seriesOf(metricOf(), 'b')];
  const points = send([rowAt(1, series, [1, 1]), rowAt(2, series, [NaN, 2]), rowAt(3, series, [3, NaN])]);
  assert.deepEqual(
    points.map((point) => [point.attributes['id'], ...shorten(point)]),
    [
      ['a', 0, 1, 1],
      ['b', 0, 1, 1],
      ['b', 1, 2, 1],
      ['a', 1, 3, 2],
    ],
  );
  assert.ok(points.every(({ flags }) => flags === 0));
});

function firstDeltas(initial: 'auto' | 'keep' | 'drop', startS: number) {
  const series = [seriesOf(metricOf({}, initial), 'a', epoch + BigInt(startS) * 1_000_000_000n)];
  return send([rowAt(10, series, [100]), rowAt(11, series, [103])]).map(shorten);
}

test('Deltas start with what a counter has counted since its start, or with its first point', () => {
  const dropped = [[10, 11, 3]];
  assert.deepEqual(firstDeltas('auto', -5), dropped);
  assert.deepEqual(firstDeltas('auto', 5), [[5, 10, 100], ...dropped]);
  assert.deepEqual(firstDeltas('keep', -5), [[-5, 10, 100], ...dropped]);
  assert.deepEqual(firstDeltas('drop', 5), dropped);
});

test('Deltas end without a point, and those of a counter that was reset start at its start', () => {
  const batcher = createBatcher();
  const [first, second] = [seriesOf(), seriesOf(metricOf(), 'a', epoch + 3_000_000_000n)];
  const points = send(
    [rowAt(1, [first], [5]), { ...rowAt(2, [first], [6]), ended: [first] }, rowAt(4, [second], [2])],
    batcher,
  );
  assert.deepEqual(points.map(shorten), [
    [0, 1, 5],
    [1, 2, 1],
    [3, 4, 2],
  ]);
});

test('Deltas ignore a repeated point and an earlier one', () => {
  const series = [seriesOf()];
  const points = send([
    rowAt(2, series, [5]),
    rowAt(2, series, [5]),
    rowAt(1, series, [4]),
    rowAt(3, series, [6]),
  ]);
  assert.deepEqual(points.map(shorten), [
    [0, 2, 5],
    [2, 3, 1],
  ]);
});

test('Deltas add up to the counter, exactly for integers', () => {
  const growth = fc.array(fc.oneof(fc.integer({ min: 0, max: 2 ** 40 }), fc.constant(NaN)), {
    minLength: 1,
    maxLength: 30,
  });
  holdsFor(growth, (steps) => {
    const series = [seriesOf(metricOf({ valueType: 'int' }))];
    let total = 0;
    const tables = steps.map((step, i) => {
      if (!Number.isNaN(step)) total += step;
      return rowAt(i + 1, series, [Number.isNaN(step) ? NaN : total]);
    });
    const values = send(tables).map(({ value }) => value);
    assert.equal(
      values.reduce<bigint>((sum, value) => sum + BigInt(value ?? 0), 0n),
      BigInt(total),
    );
  });
});

test('Deltas of doubles add up to the counter within a unit in the last place, for any number of deltas', () => {
  const series = [seriesOf()];
  const values = Float64Array.from({ length: 20_000 }, (_, i) => 0.1 * (i + 1) * (1 + (i % 7) * 1e-6));
  values.sort();
  const offsets = Float64Array.from(values, (_, i) => (i + 1) * 1e6);
  let sum = 0;
  for (const { value } of send([{ series, epoch, offsets, values }])) sum += Number(value);
  const total = values.at(-1) ?? NaN;
  assert.ok(Math.abs(sum - total) <= 2 ** -52 * total, `expected ${total}, found ${sum}`);
});

test('Deltas correct the rounding of earlier ones', () => {
  const series = [seriesOf()];
  const values = [0.9044595427254143, 2.9271843533106465, 3.9271977892014713];
  const sums = send(values.map((value, i) => rowAt(i + 1, series, [value])));
  assert.equal(
    sums.reduce((sum, { value }) => sum + Number(value), 0),
    values.at(-1),
  );
});
