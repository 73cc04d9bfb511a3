import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketless, bucketlessExponential } from '../model/histogram-table.js';
import { readJsonHistogram } from './otlp-json-histogram.js';

test('readJsonHistogram reads counts as texts and numbers, and figures by both spellings', () => {
  const explicit = { kind: 'histogram', bounds: Float64Array.of(0.1, 1) };
  for (const point of [
    { count: '6', sum: 4.5, min: 0.05, max: 2, bucketCounts: ['1', '2', '3'], explicitBounds: [0.1, 1] },
    { count: 6, sum: '4.5', min: 0.05, max: 2, bucket_counts: [1, 2, 3], explicit_bounds: ['0.1', 1] },
  ]) {
    const row = readJsonHistogram(point, 'histogram');
    assert.deepEqual([row.count, row.sum, row.min, row.max], [6, 4.5, 0.05, 2]);
    assert.deepEqual([row.layout, [...row.buckets]], [explicit, [1, 2, 3]]);
  }
});

test('readJsonHistogram reads exponential buckets by both spellings', () => {
  const layout = {
    kind: 'exponential_histogram',
    scale: -2,
    zeroThreshold: 0.5,
    positiveOffset: 3,
    positiveCount: 2,
    negativeOffset: -4,
    negativeCount: 1,
  };
  for (const point of [
    {
      count: '10',
      scale: -2,
      zeroCount: '1',
      zeroThreshold: 0.5,
      positive: { offset: 3, bucketCounts: ['2', '3'] },
      negative: { offset: -4, bucketCounts: ['4'] },
    },
    {
      count: 10,
      scale: '-2',
      zero_count: 1,
      zero_threshold: '0.5',
      positive: { offset: '3', bucket_counts: [2, 3] },
      negative: { offset: -4, bucket_counts: [4] },
    },
  ]) {
    const row = readJsonHistogram(point, 'exponential_histogram');
    assert.deepEqual([row.layout, [...row.buckets], row.count], [layout, [1, 2, 3, 4], 10]);
  }
});

test('readJsonHistogram takes absent fields for 0, and absent figures for unknown', () => {
  const row = readJsonHistogram({}, 'histogram');
  assert.deepEqual([row.count, row.sum, row.min, row.max], [0, NaN, NaN, NaN]);
  assert.deepEqual([row.layout, row.buckets.length], [bucketless, 0]);
  const nulls = readJsonHistogram({ count: 0, sum: null, min: null, max: null }, 'histogram');
  assert.deepEqual([nulls.sum, nulls.min, nulls.max], [NaN, NaN, NaN]);
  const other = readJsonHistogram({ zeroThreshold: null }, 'exponential_histogram');
  assert.deepEqual([other.layout, [...other.buckets]], [bucketlessExponential, [0]]);
});

test('readJsonHistogram makes a gap of a point without a value, with the exponential layout that it has', () => {
  const gap = readJsonHistogram({ flags: 1, count: '6', bucketCounts: ['6'] }, 'histogram');
  assert.deepEqual([gap.count, gap.sum, gap.layout, gap.buckets.length], [NaN, NaN, bucketless, 0]);
  const other = readJsonHistogram(
    { flags: 1, scale: 3, positive: {}, negative: {} },
    'exponential_histogram',
  );
  assert.deepEqual([other.count, other.layout], [NaN, { ...bucketlessExponential, scale: 3 }]);
});

test('readJsonHistogram leaves invalid counts invalid, so that the histogram is refused', () => {
  const row = readJsonHistogram({ count: '2', bucketCounts: ['1', 'x', 1.5] }, 'histogram');
  assert.deepEqual([...row.buckets], [1, NaN, NaN]);
  const other = readJsonHistogram({ positive: { bucketCounts: 7 }, negative: 'x' }, 'exponential_histogram');
  assert.deepEqual([...other.buckets], [0]);
});
