import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketless, HistogramRow, HistogramRows, selectHistograms } from './histogram-table.js';
import {
  exponentialOf,
  histogramOf,
  histogramTable,
  powersOfTwo,
  rowOf,
  twoBounds,
} from './histogram.fixture.js';

test('HistogramRows makes a table of rows with buckets of different widths, and restarts', () => {
  const [one, other] = [histogramOf(), exponentialOf()];
  const rows = new HistogramRows();
  rows.add(one, 10, rowOf([1, 2, 3], { sum: 4.5, min: 0.01, max: 2 }));
  rows.add(other, 10, rowOf([0, 1, 0, 2, 4], { layout: powersOfTwo, sum: 9 }));
  rows.add(one, 20, new HistogramRow().clear(twoBounds));
  const table = rows.take(5_000n);
  assert.deepEqual(table, {
    series: [one, other, one],
    epoch: 5_000n,
    offsets: Float64Array.of(10, 10, 20),
    counts: Float64Array.of(6, 7, NaN),
    sums: Float64Array.of(4.5, 9, NaN),
    minima: Float64Array.of(0.01, NaN, NaN),
    maxima: Float64Array.of(2, NaN, NaN),
    layouts: [twoBounds, powersOfTwo, twoBounds],
    buckets: Float64Array.of(1, 2, 3, 0, 1, 0, 2, 4),
    bucketsFrom: Uint32Array.of(0, 3, 8, 8),
  });
  rows.add(other, 30, rowOf([7], { layout: bucketless }));
  const next = rows.take(5_000n);
  assert.deepEqual([next.series, [...next.buckets], [...next.bucketsFrom]], [[other], [7], [0, 1]]);
  assert.equal(table.series.length, 3);
});

test('HistogramRows grows beyond its first memory', () => {
  const rows = new HistogramRows();
  const series = histogramOf();
  for (let i = 0; i < 1000; i += 1) rows.add(series, i, rowOf([i, 1, 2], { sum: i }));
  const table = rows.take(0n);
  const row = new HistogramRow().read(table, 999);
  assert.deepEqual([row.count, row.sum, [...row.buckets], table.offsets[999]], [1002, 999, [999, 1, 2], 999]);
});

test('selectHistograms keeps rows with their buckets', () => {
  const [one, other] = [histogramOf(), exponentialOf()];
  const table = histogramTable([
    [one, 1, rowOf([1, 0, 0])],
    [other, 2, rowOf([0, 1, 0, 2, 4], { layout: powersOfTwo })],
    [one, 3, rowOf([1, 2, 0])],
  ]);
  assert.deepEqual(
    selectHistograms(table, [1, 2]),
    histogramTable([
      [other, 2, rowOf([0, 1, 0, 2, 4], { layout: powersOfTwo })],
      [one, 3, rowOf([1, 2, 0])],
    ]),
  );
});
