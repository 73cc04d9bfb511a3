import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HistogramRow } from '../../src/model/histogram-table.js';
import { delta, explicit, exponential, histogram, openHistograms } from './histograms.fixture.js';
import type { Described } from './request.fixture.js';

const taken = { kind: 'taken', rejected: 0, message: '' };

const bothSeries = (time: number) => [
  explicit(time, [1, 0, 0], { attributes: { i: 1 } }),
  explicit(time, [2, 0, 0], { attributes: { i: 2 } }),
];
const minMax = (min: number, max: number) => ({ histogram: { min, max } });
const deltaAt = (time: number, scale: number, offset: number, bucketCounts: readonly number[]) => ({
  start: BigInt(time - 5),
  time: BigInt(time),
  histogram: {
    count: bucketCounts.reduce((sum, one) => sum + one, 0),
    scale,
    positive: { offset, bucketCounts },
  },
});

test('take forwards histograms with their bounds, values, unit, start and attributes', async (t) => {
  const { send, collector } = openHistograms(t);
  const point = explicit(10, [1, 2, 3], {
    attributes: { route: '/', code: 200 },
    histogram: { sum: 4.5, min: 0.5, max: 99 },
  });
  assert.deepEqual(await send({ ...histogram(point), unit: 's', description: 'd' }), taken);
  const [table] = collector.histograms;
  assert.deepEqual(collector.tables, []);
  assert.deepEqual(table.series, [
    {
      metric: { name: 'h', unit: 's', description: 'd', kind: 'histogram' },
      resource: { attributes: { 'service.name': 'app' } },
      attributes: { route: '/', code: 200 },
      start: 5n,
    },
  ]);
  const layout = { kind: 'histogram', bounds: Float64Array.of(1, 10) };
  assert.deepEqual(
    new HistogramRow().read(table, 0),
    Object.assign(new HistogramRow(), {
      count: 6,
      sum: 4.5,
      min: 0.5,
      max: 99,
      layout,
      buckets: Float64Array.of(1, 2, 3),
    }),
  );
  assert.equal(table.epoch, 10n);
});

test('take forwards exponential histograms with both sides of zero', async (t) => {
  const { send, collector } = openHistograms(t);
  const fields = {
    count: 15,
    scale: -2,
    zeroCount: 1,
    zeroThreshold: 0.125,
    positive: { offset: -3, bucketCounts: [2, 0, 3] },
    negative: { offset: 7, bucketCounts: [4, 5] },
  };
  await send(exponential({ start: 5n, time: 10n, attributes: { a: 'b' }, histogram: fields }));
  const [table] = collector.histograms;
  assert.deepEqual(table.series[0].attributes, { a: 'b' });
  const { layout, buckets, count, sum } = new HistogramRow().read(table, 0);
  assert.deepEqual([count, sum, [...buckets]], [15, NaN, [1, 2, 0, 3, 4, 5]]);
  assert.deepEqual(layout, {
    kind: 'exponential_histogram',
    scale: -2,
    zeroThreshold: 0.125,
    positiveOffset: -3,
    positiveCount: 3,
    negativeOffset: 7,
    negativeCount: 2,
  });
});

test('take keeps series, their array and layouts between requests', async (t) => {
  const { send, collector } = openHistograms(t);
  await send(histogram(...bothSeries(10)));
  await send(histogram(...bothSeries(20)));
  const [first, second] = collector.histograms;
  assert.equal(first.series, second.series);
  assert.equal(first.layouts[0], second.layouts[0]);
  assert.equal(first.layouts[0], first.layouts[1]);
});

test('take converts points without a recorded value to gaps, and accepts histograms without buckets', async (t) => {
  const { send, histograms } = openHistograms(t);
  const bare = { count: 7, sum: 3, explicitBounds: [], bucketCounts: [] };
  await send(
    histogram(
      explicit(10, [1, 0, 0]),
      { start: 5n, time: 20n, flags: 1 },
      explicit(30, [], { attributes: { i: 1 }, histogram: bare }),
      explicit(40, [], { attributes: { i: 1 }, histogram: { ...bare, bucketCounts: [7] } }),
    ),
  );
  assert.deepEqual(histograms(), [
    'h 5 10 1 2 NaN..NaN 1,0,0',
    'h 5 20 NaN NaN NaN..NaN ',
    'h 5 30 7 3 NaN..NaN ',
    'h 5 40 7 3 NaN..NaN ',
  ]);
});

test('take accumulates deltas from the start of the first one', async (t) => {
  const { send, histograms } = openHistograms(t);
  await send(
    delta(explicit(10, [1, 0, 2], minMax(0.5, 20)), explicit(20, [0, 4, 0], { start: 10n, ...minMax(2, 9) })),
  );
  await send(delta(explicit(30, [0, 0, 1], { start: 20n, ...minMax(70, 70) })));
  assert.deepEqual(histograms(), [
    'h 5 10 3 6 0.5..20 1,0,2',
    'h 5 20 7 14 0.5..20 1,4,2',
    'h 5 30 8 16 0.5..70 1,4,3',
  ]);
  const again = await send(delta(explicit(30, [0, 0, 1], { start: 20n })));
  assert.deepEqual([again, histograms()], [taken, []]);
});

test('take accumulates exponential deltas with different scales', async (t) => {
  const { send, histograms } = openHistograms(t);
  await send({ ...exponential(deltaAt(10, 1, 0, [1, 2, 3, 4])), temporality: 1 });
  await send({ ...exponential(deltaAt(20, 0, 1, [10, 20])), temporality: 1 });
  assert.deepEqual(histograms(), ['e 5 10 10 NaN NaN..NaN 0,1,2,3,4', 'e 5 20 40 NaN NaN..NaN 0,3,17,20']);
});

test('take starts a new series if a count decreases, a start is later or bounds change', async (t) => {
  const { send, histograms } = openHistograms(t);
  await send(histogram(explicit(10, [1, 2, 3])));
  await send(histogram(explicit(20, [1, 0, 0])));
  assert.deepEqual(histograms(), ['h 5 10 6 12 NaN..NaN 1,2,3', 'end h 5', 'h 10 20 1 2 NaN..NaN 1,0,0']);
  await send(histogram(explicit(30, [2, 0, 0], { start: 25n })));
  assert.deepEqual(histograms(), ['end h 10', 'h 25 30 2 4 NaN..NaN 2,0,0']);
  await send(histogram(explicit(40, [3, 0, 0], { start: 25n, histogram: { explicitBounds: [2, 10] } })));
  assert.deepEqual(histograms(), ['end h 25', 'h 25 40 3 6 NaN..NaN 3,0,0']);
  await send(delta(explicit(50, [1, 0, 0], { start: 40n })));
  await send(delta(explicit(60, [1, 0, 0], { start: 50n, histogram: { explicitBounds: [3, 10] } })));
  assert.deepEqual(histograms(), [
    'end h 25',
    'h 40 50 1 2 NaN..NaN 1,0,0',
    'end h 40',
    'h 50 60 1 2 NaN..NaN 1,0,0',
  ]);
});

test('take ends a series between its rows if it is reset within a request', async (t) => {
  const { send, histograms } = openHistograms(t);
  await send(histogram(explicit(10, [5, 0, 0]), explicit(20, [1, 0, 0])));
  assert.deepEqual(histograms(), ['h 5 10 5 10 NaN..NaN 5,0,0', 'end h 5', 'h 10 20 1 2 NaN..NaN 1,0,0']);
});

test('take replaces a sum by a histogram of the same name, and back', async (t) => {
  const { send, histograms, list } = openHistograms(t);
  const sum: Described = { name: 'h', kind: 'sum', points: [{ start: 5n, time: 10n, int: 1 }] };
  await send(sum);
  await send(histogram(explicit(20, [1, 0, 0])));
  assert.deepEqual(list(), ['h 5 10 1', 'end h']);
  assert.deepEqual(histograms(), ['h 5 20 1 2 NaN..NaN 1,0,0']);
  await send({ ...sum, points: [{ start: 5n, time: 30n, int: 1 }] });
  assert.deepEqual([list(), histograms()], [['h 5 30 1'], ['end h 5']]);
});
