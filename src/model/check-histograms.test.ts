import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkHistograms, findHistogramProblem } from './check-histograms.js';
import { bucketless, type HistogramRow, type HistogramTable } from './histogram-table.js';
import { exponentialOf, histogramOf, histogramTable, powersOfTwo, rowOf } from './histogram.fixture.js';

const check = (...tables: readonly HistogramTable[]) => {
  return () => checkHistograms(tables);
};

const bounds = (...values: number[]) => ({ kind: 'histogram', bounds: Float64Array.from(values) }) as const;

test('findHistogramProblem accepts histograms', () => {
  const accepted: HistogramRow[] = [
    rowOf([1, 2, 3]),
    rowOf([5], { layout: bucketless }),
    rowOf([], { layout: bucketless, count: 5 }),
    rowOf([1, 2, 3, 4, 5], { layout: powersOfTwo }),
    rowOf([], { count: NaN }),
  ];
  assert.deepEqual(
    accepted.map(findHistogramProblem),
    accepted.map(() => undefined),
  );
});

test('findHistogramProblem names what is wrong with a row', () => {
  const refused: readonly (readonly [HistogramRow, RegExp])[] = [
    [rowOf([1, 2, 3], { count: 7 }), /expected buckets that add up to the count of 7, found 6/u],
    [rowOf([1, 2]), /expected 3 buckets, found 2/u],
    [rowOf([], { count: 0 }), /expected 3 buckets, found 0/u],
    [rowOf([1, -1, 3]), /expected whole counts in buckets/u],
    [rowOf([0.5, 0.5, 3]), /expected whole counts in buckets/u],
    [rowOf([1, 2, 3], { count: 5.5 }), /expected a whole count, found 5.5/u],
    [rowOf([1, 2, 3], { layout: bounds(1, 1) }), /expected bounds that ascend/u],
    [rowOf([1, 2, 3], { layout: bounds(NaN, 1) }), /expected bounds that ascend/u],
    [rowOf([1, 2, 3], { layout: bounds(1, Infinity) }), /expected bounds that ascend/u],
    [rowOf([1, 2, 3], { layout: powersOfTwo }), /expected 5 buckets, found 3/u],
    [rowOf([1], { count: NaN }), /expected no buckets in a gap/u],
  ];
  for (const [row, message] of refused) assert.match(findHistogramProblem(row) ?? '', message);
});

test('checkHistograms accepts series that grow, have a gap, end and start again', () => {
  const [one, other] = [histogramOf(), exponentialOf()];
  const again = histogramOf({ start: 2_000n });
  checkHistograms([
    histogramTable([
      [one, 1_000, rowOf([1, 0, 0])],
      [other, 1_000, rowOf([0, 0, 0, 0, 0], { layout: powersOfTwo })],
      [one, 1_100, rowOf([], { count: NaN })],
      [one, 1_200, rowOf([1, 1, 0])],
    ]),
    histogramTable([[again, 2_000, rowOf([0, 0, 0])]], [one]),
  ]);
});

test('checkHistograms refuses what no component may pass on', () => {
  const [one, same, other] = [histogramOf(), histogramOf(), exponentialOf()];
  const row = rowOf([1, 2, 3]);
  assert.throws(
    check(
      histogramTable([
        [one, 1_000, row],
        [same, 1_000, row],
      ]),
    ),
    /two live series are both http/u,
  );
  assert.throws(check(histogramTable([[other, 1_000, row]])), /has buckets of another kind/u);
  assert.throws(check(histogramTable([[one, 999, row]])), /before its start/u);
  assert.throws(
    check(
      histogramTable([
        [one, 1_000, row],
        [one, 1_000, row],
      ]),
    ),
    /has a row of 1000 after that of 1000/u,
  );
  assert.throws(
    check(
      histogramTable([
        [one, 1_000, row],
        [one, 1_001, rowOf([1, 2, 2])],
      ]),
    ),
    /fell from 6 to 5/u,
  );
  assert.throws(
    check(histogramTable([[one, 1_000, row]], [one]), histogramTable([[one, 1_001, row]])),
    /comes again/u,
  );
  assert.throws(check(histogramTable([[one, 1_000, rowOf([1, 2])]])), /expected 3 buckets/u);
  assert.throws(
    check({ ...histogramTable([[one, 1_000, row]]), counts: new Float64Array(2) }),
    /different lengths/u,
  );
});

test('checkHistograms accepts a series that starts in the table in which an equal one ended', () => {
  const [one, again] = [histogramOf(), histogramOf()];
  checkHistograms([
    histogramTable([[one, 1_000, rowOf([1, 0, 0])]]),
    histogramTable([[again, 1_001, rowOf([0, 0, 0])]], [one]),
  ]);
});

test('checkHistograms accepts a series that starts after the table with the last row of an equal one', () => {
  const [one, again] = [histogramOf(), histogramOf()];
  checkHistograms([
    histogramTable([[one, 1_000, rowOf([1, 0, 0])]], [one]),
    histogramTable([[again, 1_001, rowOf([0, 0, 0])]]),
  ]);
});

test('checkHistograms compares a count with the last one before a gap', () => {
  const one = histogramOf();
  assert.throws(
    check(
      histogramTable([
        [one, 1_000, rowOf([5, 0, 0])],
        [one, 1_001, rowOf([], { count: NaN })],
        [one, 1_002, rowOf([4, 0, 0])],
      ]),
    ),
    /fell from 5 to 4/u,
  );
});

test('checkHistograms refuses instants that are no whole nanoseconds, and lists of another length', () => {
  const one = histogramOf();
  const table = histogramTable([[one, 1_000, rowOf([1, 2, 3])]]);
  assert.throws(check({ ...table, offsets: Float64Array.of(1_000.5) }), /whole nanoseconds, found 1000.5/u);
  assert.throws(check({ ...table, bucketsFrom: Uint32Array.of(0) }), /more or fewer beginnings than rows/u);
  assert.throws(check({ ...table, buckets: Float64Array.of(1, 2, 3, 0) }), /more or fewer buckets/u);
});
