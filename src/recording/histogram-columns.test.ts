import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketless, bucketlessExponential, HistogramRow } from '../model/histogram-table.js';
import { powersOfTwo, rowOf, twoBounds } from '../model/histogram.fixture.js';
import {
  createFigures,
  figuresOf,
  histogramColumns,
  listColumns,
  noFigures,
  rowOfFigures,
  wholeColumns,
  type Figures,
} from './histogram-columns.js';

const explicit = rowOf([1, 2, 3], { sum: 4.5, min: 0.05, max: 2 });
const exponential = rowOf([1, 2, 3, 4, 5], { layout: powersOfTwo, sum: 9, min: -1, max: 8 });

test('figuresOf fills the columns of explicit buckets, and no others', () => {
  assert.deepEqual(figuresOf(explicit), {
    ...noFigures,
    count: 6,
    sum: 4.5,
    min: 0.05,
    max: 2,
    bounds: twoBounds.bounds,
    bucket_counts: Float64Array.of(1, 2, 3),
  });
});

test('figuresOf fills the columns of exponential buckets, and no others', () => {
  assert.deepEqual(figuresOf(exponential), {
    ...noFigures,
    count: 15,
    sum: 9,
    min: -1,
    max: 8,
    scale: 0,
    zero_threshold: 0,
    zero_count: 1,
    positive_offset: 0,
    positive_counts: Float64Array.of(2, 3, 4),
    negative_offset: -1,
    negative_counts: Float64Array.of(5),
  });
});

test('figuresOf has nothing of a gap, and leaves out what is unknown', () => {
  assert.equal(figuresOf(new HistogramRow().clear(twoBounds)), noFigures);
  const { sum, min, max, count } = figuresOf(rowOf([1, 2, 3], { sum: NaN, min: NaN, max: NaN }));
  assert.deepEqual([sum, min, max, count], [undefined, undefined, undefined, 6]);
});

test('rowOfFigures restores a row from its figures', () => {
  for (const row of [explicit, exponential]) {
    const read = rowOfFigures(row.layout.kind, figuresOf(row));
    assert.deepEqual(read, row);
  }
});

test('rowOfFigures makes a gap of no figures, with the layout of the kind', () => {
  const [one, other] = [
    rowOfFigures('histogram', noFigures),
    rowOfFigures('exponential_histogram', noFigures),
  ];
  assert.deepEqual([one.count, one.layout, one.buckets.length], [NaN, bucketless, 0]);
  assert.deepEqual([other.count, other.layout, other.buckets.length], [NaN, bucketlessExponential, 0]);
});

test('rowOfFigures accepts a count without buckets and without bounds', () => {
  const row = rowOfFigures('histogram', { ...noFigures, count: 5, sum: 2 });
  assert.deepEqual([row.count, row.sum, row.min, row.layout], [5, 2, NaN, bucketless]);
});

function refuse(
  kind: 'histogram' | 'exponential_histogram',
  changes: Partial<Figures>,
  message: RegExp,
): void {
  const row = kind === 'histogram' ? explicit : exponential;
  assert.throws(() => rowOfFigures(kind, { ...figuresOf(row), ...changes }), { message });
}

test('rowOfFigures names what a histogram lacks', () => {
  refuse(
    'histogram',
    { count: undefined },
    /expected a number in the column "count" of a histogram, found none/u,
  );
  for (const column of [
    'scale',
    'zero_threshold',
    'zero_count',
    'positive_offset',
    'negative_offset',
  ] as const) {
    const message = new RegExp(`expected a number in the column "${column}" of a histogram, found none`, 'u');
    refuse('exponential_histogram', { [column]: undefined }, message);
  }
});

test('rowOfFigures refuses buckets that do not match bounds or count', () => {
  refuse('histogram', { bounds: Float64Array.of(1) }, /expected 2 buckets, found 3/u);
  refuse('histogram', { count: 7 }, /expected buckets that add up to the count of 7, found 6/u);
  refuse('exponential_histogram', { zero_count: 2 }, /add up to the count of 15, found 16/u);
});

test('rowOfFigures refuses scales and offsets that have no 32 bits, and thresholds below 0', () => {
  const [max, min] = [2 ** 31, -(2 ** 31)];
  for (const column of ['scale', 'positive_offset', 'negative_offset'] as const) {
    for (const value of [max, min - 1, 0.5, Infinity]) {
      const message = new RegExp(`expected a scale and offsets of 32 bits, found ${value}`, 'u');
      refuse('exponential_histogram', { [column]: value }, message);
    }
    for (const value of [max - 1, min]) {
      const figures = { ...figuresOf(exponential), [column]: value };
      assert.equal(rowOfFigures('exponential_histogram', figures).count, 15);
    }
  }
  refuse('exponential_histogram', { zero_threshold: -1 }, /threshold of zero of at least 0, found -1/u);
  refuse('exponential_histogram', { zero_threshold: Infinity }, /of at least 0, found Infinity/u);
});

test('createFigures asks for each column once, in order', () => {
  const asked: string[] = [];
  const figures = createFigures((column) => asked.push(column));
  assert.deepEqual(asked, [...histogramColumns]);
  assert.deepEqual([figures.count, figures.negative_counts], [1, histogramColumns.length]);
});

test('each list of counts is a list of whole numbers, and bounds are not', () => {
  assert.deepEqual(
    [...listColumns].filter((column) => !wholeColumns.has(column)),
    ['bounds'],
  );
  assert.deepEqual(
    histogramColumns.filter((column) => !wholeColumns.has(column) && !listColumns.has(column)),
    ['sum', 'min', 'max', 'zero_threshold'],
  );
});
