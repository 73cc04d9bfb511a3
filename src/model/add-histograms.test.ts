import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../testing/fixed-seed.fixture.js';
import { holdsFor } from '../testing/property.fixture.js';
import { addHistogram, isSameLayout, limitBuckets, upperBound } from './add-histograms.js';
import { findHistogramProblem } from './check-histograms.js';
import type { ExponentialLayout, HistogramRow } from './histogram-table.js';
import { powersOfTwo, rowOf, twoBounds } from './histogram.fixture.js';

test('addHistogram adds counts, sums and buckets, and takes the outer minimum and maximum', () => {
  const total = rowOf([1, 2, 3], { sum: 4, min: 0.05, max: 2 });
  assert.equal(addHistogram(total, rowOf([1, 0, 1], { sum: 7, min: 0.01, max: 1.5 })), true);
  assert.deepEqual(total, rowOf([2, 2, 4], { sum: 11, min: 0.01, max: 2 }));
});

test('addHistogram knows no sum, minimum or maximum that one of the histograms lacks, unless it has no values', () => {
  const total = rowOf([1, 0, 0], { sum: 4, min: 4, max: 4 });
  addHistogram(total, rowOf([0, 0, 0]));
  assert.deepEqual([total.sum, total.min, total.max], [4, 4, 4]);
  addHistogram(total, rowOf([1, 0, 0], { max: 9 }));
  assert.deepEqual([total.count, total.sum, total.min, total.max], [2, NaN, NaN, 9]);
  const empty = rowOf([0, 0, 0]);
  addHistogram(empty, rowOf([1, 0, 0], { sum: 3, min: 3, max: 3 }));
  assert.deepEqual([empty.sum, empty.min, empty.max], [3, 3, 3]);
});

test('addHistogram refuses other bounds and changes nothing', () => {
  const total = rowOf([1, 2, 3]);
  const other = rowOf([1, 2, 3], { layout: { kind: 'histogram', bounds: Float64Array.of(0.1, 2) } });
  assert.equal(addHistogram(total, other), false);
  assert.deepEqual(total, rowOf([1, 2, 3]));
  const equal = rowOf([1, 2, 3], {
    layout: { kind: 'histogram', bounds: Float64Array.from(twoBounds.bounds) },
  });
  assert.equal(addHistogram(total, equal), true);
});

test('addHistogram takes the smaller scale of exponential histograms, and all indexes', () => {
  const fine = {
    ...powersOfTwo,
    scale: 1,
    positiveOffset: -3,
    positiveCount: 2,
    negativeOffset: 0,
    negativeCount: 0,
  };
  const total = rowOf([1, 2, 3, 4, 5], { layout: powersOfTwo });
  assert.equal(addHistogram(total, rowOf([1, 10, 20], { layout: fine })), true);
  // The indexes -3 and -2 of scale 1 are -2 and -1 of scale 0.
  assert.deepEqual(total.layout, { ...powersOfTwo, positiveOffset: -2, positiveCount: 5 });
  assert.deepEqual([...total.buckets], [2, 10, 20, 2, 3, 4, 5]);
});

test('addHistogram counts as zero what one of the histograms counts as zero', () => {
  const wide = { ...powersOfTwo, zeroThreshold: 1.5, positiveOffset: 1, positiveCount: 1, negativeCount: 0 };
  const total = rowOf([1, 2, 3, 4, 5], { layout: powersOfTwo });
  addHistogram(total, rowOf([7, 1], { layout: wide }));
  // The bucket (1, 2] is cut by 1.5, and so within the new threshold of 2, as is the negative one.
  assert.deepEqual(total.layout, {
    ...powersOfTwo,
    zeroThreshold: 2,
    positiveOffset: 1,
    positiveCount: 2,
    negativeOffset: 0,
    negativeCount: 0,
  });
  assert.deepEqual([...total.buckets], [1 + 7 + 2 + 5, 3 + 1, 4]);
});

const side = { offset: fc.integer({ min: -400, max: 400 }), counts: fc.array(fc.nat(9), { maxLength: 30 }) };
const exponential = fc
  .record({
    scale: fc.integer({ min: -4, max: 8 }),
    zero: fc.nat(5),
    positive: fc.record(side),
    negative: fc.record(side),
  })
  .map(({ scale, zero, positive, negative }): HistogramRow => {
    const layout: ExponentialLayout = {
      kind: 'exponential_histogram',
      scale,
      zeroThreshold: 0,
      positiveOffset: positive.offset,
      positiveCount: positive.counts.length,
      negativeOffset: negative.offset,
      negativeCount: negative.counts.length,
    };
    return rowOf([zero, ...positive.counts, ...negative.counts], { layout });
  });

/** How many positive values are at most so large, by the buckets whose upper bound is. */
function countUpTo({ layout, buckets }: HistogramRow, bound: number): number {
  assert.equal(layout.kind, 'exponential_histogram');
  const counts = [...buckets.subarray(1, 1 + layout.positiveCount)];
  return counts.reduce(
    (sum, count, i) =>
      sum + (upperBound(layout.scale, layout.positiveOffset + i) <= bound * (1 + 1e-9) ? count : 0),
    0,
  );
}

test('addHistogram loses no count, and moves none over a bound of the sum', () => {
  holdsFor(fc.tuple(exponential, exponential), ([one, other]) => {
    const total = rowOf([...one.buckets], { layout: one.layout });
    addHistogram(total, other);
    assert.equal(findHistogramProblem(total), undefined);
    assert.equal(total.count, one.count + other.count);
    assert.equal(total.buckets[0], one.buckets[0] + other.buckets[0]);
    const { layout } = total;
    assert.equal(layout.kind, 'exponential_histogram');
    for (let i = 0; i < layout.positiveCount; i += 1) {
      const bound = upperBound(layout.scale, layout.positiveOffset + i);
      if (bound > 1e-300 && bound < 1e300)
        assert.equal(countUpTo(total, bound), countUpTo(one, bound) + countUpTo(other, bound));
    }
  });
});

test('limitBuckets makes buckets wider until there are few enough', () => {
  const counts = Array.from({ length: 100 }, (_, i) => i);
  const layout = { ...powersOfTwo, scale: 3, positiveOffset: -50, positiveCount: 100, negativeCount: 0 };
  const row = rowOf([3, ...counts], { layout });
  const limited = limitBuckets(layout, row.buckets, 30);
  assert.ok(limited.layout.positiveCount <= 30 && limited.layout.positiveCount > 15);
  assert.equal(
    findHistogramProblem(rowOf([...limited.buckets], { layout: limited.layout, count: row.count })),
    undefined,
  );
  assert.equal(limitBuckets(layout, row.buckets, 100).buckets, row.buckets);
});

test('isSameLayout compares every property of exponential layouts', () => {
  const same = { ...powersOfTwo };
  assert.ok(isSameLayout(powersOfTwo, same));
  for (const change of [
    { scale: 1 },
    { zeroThreshold: 0.5 },
    { positiveOffset: 1 },
    { positiveCount: 4 },
    { negativeOffset: 0 },
    { negativeCount: 2 },
  ]) {
    assert.ok(!isSameLayout(powersOfTwo, { ...same, ...change }), JSON.stringify(change));
  }
});

const boundsOf = (...values: number[]) => ({ kind: 'histogram', bounds: Float64Array.from(values) }) as const;

test('isSameLayout compares bounds by value and length, and distinguishes both kinds', () => {
  assert.ok(isSameLayout(boundsOf(1, 2), boundsOf(1, 2)));
  assert.ok(isSameLayout(boundsOf(), boundsOf()));
  assert.ok(!isSameLayout(boundsOf(1, 2), boundsOf(1, 3)));
  assert.ok(!isSameLayout(boundsOf(1, 2), boundsOf(1)));
  assert.ok(!isSameLayout(boundsOf(1), boundsOf(1, 2)));
  assert.ok(!isSameLayout(boundsOf(1), powersOfTwo));
  assert.ok(!isSameLayout(powersOfTwo, boundsOf(1)));
});

test('addHistogram takes the figures of the first histogram with values, when the sum has none yet', () => {
  const total = rowOf([0, 0, 0], { sum: NaN, min: NaN, max: NaN });
  assert.ok(addHistogram(total, rowOf([1, 2, 0], { sum: 1.5, min: 0.1, max: 0.9 })));
  assert.deepEqual([total.count, total.sum, total.min, total.max], [3, 1.5, 0.1, 0.9]);
  assert.ok(addHistogram(total, rowOf([0, 0, 0], { sum: NaN, min: NaN, max: NaN })));
  assert.deepEqual([total.count, total.sum, total.min, total.max], [3, 1.5, 0.1, 0.9]);
});

test('limitBuckets returns the same objects, when neither side has too many buckets', () => {
  const buckets = Float64Array.of(1, 2, 3, 4, 5);
  const limited = limitBuckets(powersOfTwo, buckets, 3);
  assert.equal(limited.layout, powersOfTwo);
  assert.equal(limited.buckets, buckets);
});

test('limitBuckets limits the side of negative values, too', () => {
  const layout = { ...powersOfTwo, positiveCount: 1, negativeOffset: 0, negativeCount: 4 };
  const limited = limitBuckets(layout, Float64Array.of(9, 1, 2, 3, 4, 5), 2);
  const { scale, positiveOffset, positiveCount, negativeOffset, negativeCount } = limited.layout;
  assert.deepEqual([scale, positiveOffset, positiveCount, negativeOffset, negativeCount], [-1, 0, 1, 0, 2]);
  assert.deepEqual([...limited.buckets], [9, 1, 5, 9]);
});

test('upperBound grows by the factor of the scale', () => {
  assert.deepEqual([upperBound(0, 0), upperBound(0, 2), upperBound(0, -1), upperBound(1, 1)], [2, 8, 1, 2]);
  assert.deepEqual([upperBound(-1, 0), upperBound(-1, -1)], [4, 1]);
});
