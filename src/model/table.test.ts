import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../testing/fixed-seed.fixture.js';
import { holdsFor } from '../testing/property.fixture.js';
import type { Series } from './series.js';
import {
  copyLastRow,
  countPoints,
  createEnding,
  createRow,
  createSelection,
  findLatestRow,
  readLatest,
  readValue,
  selectColumns,
  selectRows,
  timeOf,
  type Table,
} from './table.js';

const metric = { name: 'test', unit: 'J', description: '', kind: 'counter', valueType: 'double' } as const;
const [a, b, c] = ['a', 'b', 'c'].map((name): Series => {
  return { metric, resource: { attributes: {} }, attributes: { name }, start: 0n };
});
const series = [a, b, c];

/** Rows at 100, 110 and 120 ns; b has no reading in the last one, c has none at all. */
const table: Table = {
  series,
  epoch: 100n,
  offsets: Float64Array.of(0, 10, 20),
  values: Float64Array.of(1, 2, NaN, 3, 4, NaN, 5, NaN, NaN),
  ended: [b],
};
const empty: Table = { series, epoch: 100n, offsets: new Float64Array(0), values: new Float64Array(0) };

test('readValue reads one cell, when rows and columns are many', () => {
  assert.deepEqual([readValue(table, 0, 1), readValue(table, 2, 0), readValue(table, 1, 2)], [2, 5, NaN]);
});

test('findLatestRow and readLatest skip gaps at the end, when a column has readings before them', () => {
  assert.deepEqual(
    [0, 1].map((column) => findLatestRow(table, column)),
    [2, 1],
  );
  assert.deepEqual(
    [0, 1].map((column) => readLatest(table, column)),
    [5, 4],
  );
});

test('findLatestRow and readLatest find nothing, when a column or a table has no readings', () => {
  assert.deepEqual([findLatestRow(table, 2), readLatest(table, 2)], [-1, NaN]);
  assert.deepEqual([findLatestRow(empty, 0), readLatest(empty, 0)], [-1, NaN]);
});

test('copyLastRow has its own values and the time of the row, when a table has rows', () => {
  const row = copyLastRow(table);
  assert.deepEqual(row, {
    series,
    epoch: 120n,
    offsets: Float64Array.of(0),
    values: Float64Array.of(5, NaN, NaN),
  });
  assert.notEqual(row?.values.buffer, table.values.buffer);
  assert.equal(copyLastRow(empty), undefined);
});

test('selectRows keeps the rows in the order asked for, without what has ended', () => {
  const kept = selectRows(table, [0, 2]);
  const values = Float64Array.of(1, 2, NaN, 5, NaN, NaN);
  assert.deepEqual(kept, { series, epoch: 100n, offsets: Float64Array.of(0, 20), values });
  assert.equal(selectRows(table, []).values.length, 0);
});

test('selectColumns keeps the columns of every row, without what has ended', () => {
  const selection = createSelection(series, (one) => one !== b);
  assert.deepEqual(selection, { columns: [0, 2], series: [a, c] });
  const values = Float64Array.of(1, NaN, 3, NaN, 5, NaN);
  const kept = selectColumns(table, selection);
  assert.deepEqual(kept, { series: [a, c], epoch: 100n, offsets: table.offsets, values });
  assert.equal('ended' in kept, false);
});

test('createSelection gives the array of series itself, when all are kept', () => {
  assert.equal(createSelection(series, () => true).series, series);
});

test('selectColumns has no rows, when no column is kept', () => {
  const kept = selectColumns(
    table,
    createSelection(series, () => false),
  );
  assert.deepEqual([kept.series, kept.offsets.length, kept.values.length], [[], 0, 0]);
});

test('timeOf adds exactly, when the instant is beyond what a double holds', () => {
  const epoch = 1_800_000_000_123_456_789n;
  assert.equal(timeOf({ epoch, offsets: Float64Array.of(0, 1) }, 1), epoch + 1n);
  assert.equal(timeOf(table, 2), 120n);
});

test('countPoints counts gaps too, and nothing of an ending', () => {
  assert.equal(countPoints(table), 9);
  const ending = createEnding([a], 7n);
  assert.deepEqual([countPoints(ending), ending.ended, ending.epoch, ending.series], [0, [a], 7n, []]);
});

test('createRow has one row at the instant given, with the arrays of the caller', () => {
  const values = Float64Array.of(1, 2, NaN);
  const row = createRow(series, 7n, values);
  assert.deepEqual([countPoints(row), timeOf(row, 0), findLatestRow(row, 1)], [3, 7n, 0]);
  assert.deepEqual([row.series === series, row.values === values, 'ended' in row], [true, true, false]);
});

test('readLatest takes 0 for a reading', () => {
  assert.equal(readLatest({ ...table, values: Float64Array.of(1, 1, 1, 0, 0, 0, NaN, NaN, NaN) }, 1), 0);
});

test('createSelection of no series gives the array itself, and a table without rows', () => {
  const none: readonly Series[] = [];
  const selection = createSelection(none, () => false);
  assert.deepEqual([selection.series === none, selection.columns], [true, []]);
  assert.equal(countPoints(selectColumns(createEnding([a], 7n), selection)), 0);
});

const anyValue = fc.oneof(fc.integer(), fc.constant(NaN));

/** A table of up to 5 rows with the three series, and which rows and columns are to be kept. */
const anySelection = fc.nat(5).chain((rows) =>
  fc.record({
    any: fc.array(anyValue, { minLength: rows * 3, maxLength: rows * 3 }).map((values): Table => {
      const offsets = Float64Array.from({ length: rows }, (_, row) => row * 10);
      return { series, epoch: 100n, offsets, values: Float64Array.from(values) };
    }),
    keptRows: fc.subarray(Array.from({ length: rows }, (_, row) => row)),
    keptSeries: fc.subarray([...series], { minLength: 1 }),
  }),
);

test('what is selected of a table has the values and instants that its cells had', () => {
  holdsFor(anySelection, ({ any, keptRows, keptSeries }) => {
    const selection = createSelection(series, (one) => keptSeries.includes(one));
    const kept = selectColumns(selectRows(any, keptRows), selection);
    assert.deepEqual(kept, selectRows(selectColumns(any, selection), keptRows));
    assert.deepEqual([kept.series, countPoints(kept)], [keptSeries, keptRows.length * keptSeries.length]);
    for (const [to, row] of keptRows.entries()) {
      assert.equal(timeOf(kept, to), timeOf(any, row));
      keptSeries.forEach((one, column) => {
        assert.equal(readValue(kept, to, column), readValue(any, row, series.indexOf(one)));
      });
    }
  });
});

test('selectRows and selectColumns copy the values, also when they keep everything', () => {
  const all = createSelection(series, () => true);
  for (const kept of [selectRows(table, [0, 1, 2]), selectColumns(table, all)]) {
    assert.deepEqual([kept.series === series, kept.values], [true, table.values]);
    assert.notEqual(kept.values.buffer, table.values.buffer);
  }
});
