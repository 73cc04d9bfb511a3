import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTableCollector } from '../component/fakes.js';
import { WallAnchor } from '../linux/clock.js';
import { monotonicSinceOriginNs, originSecond, readClocks } from '../linux/clocks.js';
import type { Metric, Series } from '../model/series.js';
import { createEnding } from '../model/table.js';
import { RowBuffer, RowThinner, type Rows } from './row-buffer.js';

/** Wall time an hour ahead of CLOCK_MONOTONIC, and ahead by this additional amount when the clocks are read again. */
function createAnchor(correctionNs = 0n): WallAnchor {
  const { beforeNs: at } = readClocks();
  const hourAhead = at + 3_600_000_000_000n;
  const anchor = new WallAnchor({ beforeNs: at, afterNs: at, boottimeNs: at, realtimeNs: hourAhead });
  anchor.update({ beforeNs: at, afterNs: at, boottimeNs: at, realtimeNs: hourAhead + correctionNs });
  return anchor;
}

function fill(width: number, ...values: readonly number[]): RowBuffer {
  const buffer = new RowBuffer(width, values.length / width);
  for (let at = 0; at < values.length; at += width) {
    buffer.values.set(values.slice(at, at + width), buffer.valuesAt);
    buffer.add();
  }
  return buffer;
}

function instantsOf({ epoch, offsets }: Rows): bigint[] {
  return Array.from(offsets, (offset) => epoch + BigInt(offset));
}

test('take returns rows in the layout of a table, in wall time, and leaves none', () => {
  const anchor = createAnchor();
  const buffer = fill(2, 1, 2, 3, 4);
  assert.equal(buffer.isFull, true);
  const last = BigInt(originSecond) * 1_000_000_000n + BigInt(buffer.lastNs());
  const rows = buffer.take(anchor);
  assert.deepEqual([...rows.values], [1, 2, 3, 4]);
  const [first, second] = instantsOf(rows);
  assert.ok(first < second);
  assert.equal(rows.offsets[0], 0);
  assert.equal(second, last + 3_600_000_000_000n);
  assert.equal(buffer.length, 0);
  assert.equal(buffer.valuesAt, 0);
});

test('takeBeforeLast keeps the last row', () => {
  const anchor = createAnchor();
  const buffer = fill(2, 1, 2, 3, 4, 5, 6);
  const lastNs = buffer.lastNs();
  const rows = buffer.takeBeforeLast(anchor);
  assert.deepEqual([...rows.values], [1, 2, 3, 4]);
  assert.equal(rows.offsets.length, 2);
  assert.equal(buffer.lastNs(), lastNs);
  const rest = buffer.take(anchor);
  assert.deepEqual([...rest.values], [5, 6]);
  assert.deepEqual([...rest.offsets], [0]);
  assert.ok(rest.epoch > instantsOf(rows)[1]);
});

test('take keeps offsets ascending integers when the clock was set back slightly', () => {
  const anchor = createAnchor(-40_000_000n);
  const buffer = fill(1, 1, 2, 3);
  const lastNs = BigInt(originSecond) * 1_000_000_000n + BigInt(buffer.lastNs());
  const rows = buffer.take(anchor);
  assert.equal(anchor.isConstant, false);
  assert.equal(instantsOf(rows)[2], anchor.wallNs(lastNs));
  assert.ok(
    rows.offsets.every((offset, row) => offset % 1 === 0 && (row === 0 || offset > rows.offsets[row - 1])),
  );
});

test('lastNs is the time of the last row', () => {
  const beforeNs = monotonicSinceOriginNs();
  const lastNs = fill(1, 1).lastNs();
  assert.ok(beforeNs <= lastNs && lastNs <= monotonicSinceOriginNs());
});

test('RowBuffer has space for at least two rows and at most one MiB', () => {
  assert.equal(new RowBuffer(4, 1).values.length, 2 * 4);
  assert.equal(new RowBuffer(3, 1e9).values.length, 32_768 * 3);
});

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

/** Rows every 10 s, one of which is to be forwarded per minute. */
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
  /** Second and first value of every forwarded row. */
  const rows = () =>
    next.tables.flatMap(({ series, epoch, offsets, values }) =>
      [...offsets].map((offset, row) => [(Number(epoch) + offset) / 1e9, values[row * series.length]]),
    );
  return { thinner, next, consume, rows };
}

test('RowThinner forwards one row per interval, however late they arrive', () => {
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

test('RowThinner selects rows from tables with several rows, with all their columns', () => {
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

test('RowThinner forwards the last row on release, once', () => {
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

test('RowThinner forwards the last row of series before their end, and the first row of their successors', () => {
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

test('RowThinner returns to its interval after an outage', () => {
  const { consume, rows } = createThinner();
  const series = describe(0);
  for (const at of [0, 10, 150, 160, 170, 180, 190, 240]) consume(series, [[at, at]]);
  assert.deepEqual(
    rows().map(([at]) => at),
    [0, 150, 180, 240],
  );
});

test('RowThinner reports when what it forwards is rejected', () => {
  const thinner = new RowThinner({ consume: () => false }, seconds(60), seconds(10));
  const series = describe(0);
  const table = { series, epoch: 0n, offsets: new Float64Array(1), values: new Float64Array(1) };
  assert.equal(thinner.consume(table), false);
  assert.equal(thinner.consume(table), true);
});
