import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTableCollector } from '../contract/fakes.js';
import type { Metric, Series } from '../model/series.js';
import { createEnding } from '../model/table.js';
import { RowThinner } from './row-thinner.js';

const seconds = (count: number) => count * 1e9;

const metric: Metric = { name: 'test', unit: 'J', description: '', kind: 'counter', valueType: 'double' };

function describe(...columns: readonly number[]): readonly Series[] {
  return columns.map((column) => ({
    metric,
    resource: { attributes: {} },
    attributes: { column },
    start: 0n,
  }));
}

/** Rows every 10 s, of which one a minute is wanted. */
function createThinner() {
  const next = createTableCollector();
  const thinner = new RowThinner(next, seconds(60), seconds(10));
  const consume = (
    series: readonly Series[],
    rows: readonly (readonly [at: number, ...values: number[]])[],
  ) => {
    const begin = rows[0]?.[0] ?? 0;
    return thinner.consume({
      series,
      epoch: BigInt(seconds(begin)),
      offsets: Float64Array.from(rows, ([at]) => seconds(at - begin)),
      values: Float64Array.from(rows.flatMap(([, ...values]) => values)),
    });
  };
  /** Second and first value of every row that was passed on. */
  const rows = () =>
    next.tables.flatMap(({ series, epoch, offsets, values }) =>
      [...offsets].map((offset, row) => [(Number(epoch) + offset) / 1e9, values[row * series.length]]),
    );
  return { thinner, next, consume, rows };
}

test('RowThinner passes on one row per interval, however late they come', () => {
  const { consume, rows } = createThinner();
  const series = describe(0);
  // The first is the latest.
  for (let at = 0; at <= 200; at += 10) consume(series, [[at === 0 ? 2 : at + (at % 30) / 20, at]]);
  assert.deepEqual(rows(), [
    [2, 0],
    [60, 60],
    [120, 120],
    [180, 180],
  ]);
});

test('RowThinner picks rows out of tables of several, all of their columns', () => {
  const { consume, next } = createThinner();
  const series = describe(0, 1);
  consume(series, [
    [0, 1, 2],
    [10, 3, 4],
    [60, 5, 6],
    [70, 7, 8],
  ]);
  assert.deepEqual(
    next.tables.map(({ offsets, values }) => [[...offsets], [...values]]),
    [
      [
        [0, seconds(60)],
        [1, 2, 5, 6],
      ],
    ],
  );
});

test('RowThinner passes on the last row when asked, once', () => {
  const { thinner, consume, rows } = createThinner();
  const series = describe(0);
  consume(series, [[0, 0]]);
  consume(series, [[10, 1]]);
  consume(series, [[20, 2]]);
  thinner.release();
  thinner.release();
  consume(series, [[60, 6]]);
  assert.deepEqual(rows(), [
    [0, 0],
    [20, 2],
    [60, 6],
  ]);
});

test('RowThinner passes on the last row of series before their end, and the first of those that follow', () => {
  const { thinner, consume, rows, next } = createThinner();
  const series = describe(0);
  consume(series, [[0, 0]]);
  consume(series, [[30, 3]]);
  thinner.consume(createEnding(series, 0n));
  consume(describe(0, 1), [[40, 7, 0]]);
  assert.deepEqual(rows(), [
    [0, 0],
    [30, 3],
    [40, 7],
  ]);
  assert.deepEqual(
    next.tables.map(({ ended }) => ended?.length),
    [undefined, undefined, 1, undefined],
  );
});

test('RowThinner finds its rhythm again after an outage', () => {
  const { consume, rows } = createThinner();
  const series = describe(0);
  for (const at of [0, 10, 150, 160, 170, 180, 190, 240]) consume(series, [[at, at]]);
  assert.deepEqual(
    rows().map(([at]) => at),
    [0, 150, 180, 240],
  );
});

test('RowThinner says when what it passes on is refused', () => {
  const thinner = new RowThinner({ consume: () => false }, seconds(60), seconds(10));
  const series = describe(0);
  const table = { series, epoch: 0n, offsets: new Float64Array(1), values: new Float64Array(1) };
  assert.equal(thinner.consume(table), false);
  assert.equal(thinner.consume(table), true);
});
