import assert from 'node:assert/strict';
import { test } from 'node:test';
import { upperBound } from './add-histograms.js';
import { findHistogramProblem } from './check-histograms.js';
import { ExponentialDistribution } from './distribution.js';
import { HistogramRow, type ExponentialLayout } from './histogram-table.js';
import { powersOfTwo, rowOf, twoBounds } from './histogram.fixture.js';
import { scaleHistogram } from './scale-histogram.js';

test('scaleHistogram multiplies bounds, sum and extremes, and counts stay', () => {
  const row = rowOf([1, 2, 3], { sum: 4.5, min: 0.05, max: 2 });
  scaleHistogram(row, 1000);
  assert.deepEqual([row.count, row.sum, row.min, row.max, [...row.buckets]], [6, 4500, 50, 2000, [1, 2, 3]]);
  assert.deepEqual(row.layout, { kind: 'histogram', bounds: Float64Array.of(100, 1000) });
  const other = rowOf([0, 0, 1]);
  scaleHistogram(other, 1000);
  assert.equal(other.layout, row.layout, 'one object for one layout');
  assert.deepEqual([...twoBounds.bounds], [0.1, 1]);
});

test('scaleHistogram moves exponential buckets exactly where the factor is a bound', () => {
  const row = rowOf([1, 0, 2, 3, 4], { layout: { ...powersOfTwo, zeroThreshold: 0.25 }, sum: 3 });
  scaleHistogram(row, 8);
  assert.deepEqual(row.layout, { ...powersOfTwo, zeroThreshold: 2, positiveOffset: 3, negativeOffset: 2 });
  assert.deepEqual([[...row.buckets], row.sum], [[1, 0, 2, 3, 4], 24]);
});

test('scaleHistogram is wrong by at most half of an exponential bucket for any other factor', () => {
  const numbers = Array.from({ length: 500 }, (_, i) => 0.001 * 1.02 ** i);
  const distribution = new ExponentialDistribution();
  for (const number of numbers) distribution.add(Float64Array.of(number), 0);
  const row = new HistogramRow();
  distribution.write(row);
  const factor = 1000;
  const halfBucket = 2 ** (2 ** -(row.layout as ExponentialLayout).scale / 2) * (1 + 1e-12);
  scaleHistogram(row, factor);
  assert.equal(findHistogramProblem(row), undefined);
  const { scale, positiveOffset } = row.layout as ExponentialLayout;
  let seen = 0;
  for (const [i, count] of row.buckets.slice(1).entries()) {
    for (const number of numbers.slice(seen, seen + count)) {
      const scaled = number * factor;
      const index = positiveOffset + i;
      assert.ok(
        scaled > upperBound(scale, index - 1) / halfBucket && scaled <= upperBound(scale, index) * halfBucket,
      );
    }
    seen += count;
  }
  assert.equal(seen, 500);
});

test('scaleHistogram moves no side that has no buckets, and the threshold of zero by the factor', () => {
  const layout = {
    ...powersOfTwo,
    zeroThreshold: 0.5,
    positiveOffset: 7,
    positiveCount: 0,
    negativeOffset: 3,
  };
  const row = rowOf([1, 2], { layout });
  scaleHistogram(row, 4);
  assert.deepEqual(row.layout, { ...layout, zeroThreshold: 2, negativeOffset: 5 });
  const other = { ...powersOfTwo, positiveOffset: 7, negativeOffset: 3, negativeCount: 0 };
  const positive = rowOf([1, 2, 3, 4], { layout: other });
  scaleHistogram(positive, 0.25);
  assert.deepEqual(positive.layout, { ...other, positiveOffset: 5 });
});

test('scaleHistogram moves buckets by the nearest number of them, at any scale', () => {
  for (const [scale, factor, places] of [
    [0, 1000, 10],
    [0, 0.001, -10],
    [1, 3, 3],
    [3, 1.01, 0],
    [-1, 16, 2],
  ] as const) {
    const layout = { ...powersOfTwo, scale };
    const row = rowOf([1, 2, 3, 4, 5], { layout });
    scaleHistogram(row, factor);
    assert.deepEqual(row.layout, { ...layout, positiveOffset: places, negativeOffset: places - 1 });
  }
});

test('scaleHistogram keeps the counts, and gives equal factors one layout', () => {
  const [one, other] = [rowOf([1, 2, 3]), rowOf([4, 5, 6])];
  scaleHistogram(one, 1000);
  scaleHistogram(other, 1000);
  assert.equal(one.layout, other.layout);
  assert.deepEqual([[...one.buckets], one.count], [[1, 2, 3], 6]);
  const third = rowOf([1, 2, 3]);
  scaleHistogram(third, 10);
  assert.notEqual(third.layout, one.layout);
});
