import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findHistogramProblem } from './check-histograms.js';
import {
  bucketless,
  bucketlessExponential,
  countHistograms,
  createHistogramEnding,
  HistogramRow,
  HistogramRows,
  selectHistograms,
} from './histogram-table.js';
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

/** Offset, count, sum, minimum and maximum of a row. */
const figuresOf = (i: number) => [i, 3 * i, i / 2, -i, 2 * i];

test('HistogramRows keeps all figures of rows beyond its first memory, and of later tables', () => {
  const rows = new HistogramRows();
  const series = histogramOf();
  for (const length of [1, 64, 65, 200]) {
    for (let i = 0; i < length; i += 1) {
      const [offset = NaN, count, sum, min, max] = figuresOf(i);
      const buckets = Array.from({ length: i % 40 }, (_, place) => i + place);
      rows.add(series, offset, rowOf(buckets, { count, sum, min, max }));
    }
    assert.equal(rows.length, length);
    const table = rows.take(5n);
    assert.equal(rows.length, 0);
    const row = new HistogramRow();
    for (let i = 0; i < length; i += 1) {
      const { count, sum, min, max, buckets } = row.read(table, i);
      assert.deepEqual([table.offsets[i], count, sum, min, max], figuresOf(i));
      assert.deepEqual(
        [...buckets],
        Array.from({ length: i % 40 }, (_, place) => i + place),
      );
    }
    assert.deepEqual(
      [table.series.length, table.layouts.length, table.offsets.length],
      [length, length, length],
    );
    assert.equal(table.bucketsFrom.length, length + 1);
  }
});

test('HistogramRows leaves a table alone, when it is used for another one', () => {
  const rows = new HistogramRows();
  const [one, other] = [histogramOf(), histogramOf()];
  rows.add(one, 1, rowOf([1, 2, 3]));
  const first = rows.take(7n);
  rows.add(other, 2, rowOf([4, 5, 6, 7], { layout: powersOfTwo }));
  const second = rows.take(8n);
  assert.deepEqual(
    [first.series, [...first.buckets], [...first.counts], first.epoch],
    [[one], [1, 2, 3], [6], 7n],
  );
  assert.deepEqual(
    [second.series, [...second.buckets], second.layouts, [...second.bucketsFrom]],
    [[other], [4, 5, 6, 7], [powersOfTwo], [0, 4]],
  );
});

test('HistogramRow becomes a gap without buckets, whatever it was before', () => {
  const row = rowOf([1, 2, 3], { sum: 4, min: 1, max: 2 });
  const cleared = row.clear(powersOfTwo);
  assert.equal(cleared, row);
  assert.deepEqual([row.count, row.sum, row.min, row.max], [NaN, NaN, NaN, NaN]);
  assert.deepEqual([row.layout, row.buckets.length], [powersOfTwo, 0]);
});

test('a new HistogramRow is a gap of a histogram without bounds', () => {
  const row = new HistogramRow();
  assert.deepEqual([row.count, row.sum, row.min, row.max, row.buckets.length], [NaN, NaN, NaN, NaN, 0]);
  assert.equal(row.layout, bucketless);
  assert.deepEqual([bucketless.kind, bucketless.bounds.length], ['histogram', 0]);
});

test('bucketlessExponential has the zero bucket only', () => {
  assert.equal(findHistogramProblem(rowOf([5], { layout: bucketlessExponential })), undefined);
  assert.equal(
    findHistogramProblem(rowOf([5, 1], { layout: bucketlessExponential })),
    'expected 1 buckets, found 2',
  );
});

test('createHistogramEnding has no rows, at the instant given', () => {
  const series = histogramOf();
  const ending = createHistogramEnding([series], 9n);
  assert.deepEqual([ending.ended, ending.epoch, countHistograms(ending)], [[series], 9n, 0]);
  assert.deepEqual([...ending.bucketsFrom], [0]);
});

test('selectHistograms keeps rows in the order asked for, without what has ended', () => {
  const [one, other] = [histogramOf({ name: 'a' }), histogramOf({ name: 'b' })];
  const table = histogramTable(
    [
      [one, 1_000, rowOf([1, 0, 0], { sum: 1, min: 1, max: 1 })],
      [other, 1_001, rowOf([0, 2, 0], { sum: 2, min: 2, max: 2 })],
      [one, 1_002, rowOf([0, 0, 3], { sum: 3, min: 3, max: 3 })],
    ],
    [one],
  );
  const kept = selectHistograms(table, [2, 1]);
  assert.deepEqual(
    [kept.series, [...kept.offsets], [...kept.counts]],
    [
      [one, other],
      [1_002, 1_001],
      [3, 2],
    ],
  );
  assert.deepEqual(
    [[...kept.sums], [...kept.minima], [...kept.maxima]],
    [
      [3, 2],
      [3, 2],
      [3, 2],
    ],
  );
  assert.deepEqual(
    [[...kept.buckets], [...kept.bucketsFrom]],
    [
      [0, 0, 3, 0, 2, 0],
      [0, 3, 6],
    ],
  );
  assert.equal('ended' in kept, false);
  assert.equal(countHistograms(selectHistograms(table, [])), 0);
});
