import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTables, sumLastValues } from './check-tables.js';
import type { MetricKind, Series } from './series.js';
import { createEnding, createRow, type Table } from './table.js';

function createSeries(kind: MetricKind = 'counter', start = 0n): Series {
  const metric = { name: 'test', unit: 'J', description: '', kind, valueType: 'double' } as const;
  return { metric, resource: { attributes: {} }, attributes: {}, start };
}

const series = createSeries();
const again = createSeries('counter', 5n);
const row = (one: Series, at: number, value: number) => createRow([one], BigInt(at), Float64Array.of(value));
const check = (...tables: Table[]) => checkTables(tables);

test('checkTables takes a counter that grows, has a gap, ends and starts again, also in one table', () => {
  check(row(series, 1, 1), row(series, 2, NaN), row(series, 3, 1), { ...row(again, 6, 0), ended: [series] });
  check(row(series, 1, 1), { ...row(series, 2, 2), ended: [series] }, row(again, 6, 0));
  const level = createSeries('updowncounter', 1n);
  check(row(level, 1, 2), row(level, 2, -1));
});

test('checkTables refuses what no component may pass on', () => {
  assert.throws(() => check(row(series, 1, 2), row(series, 2, 1)), /fell to 1/);
  assert.throws(() => check(row(series, 1, -1)), /fell to -1/);
  assert.throws(() => check(row(series, 1, Infinity)), /is Infinity/);
  assert.throws(() => check(row(again, 4, 0)), /before its start/);
  assert.throws(() => check(row(series, 2, 1), row(series, 2, 1)), /of 2 after that of 2/);
  assert.throws(() => check(row(series, 1, 1), row(again, 6, 0)), /two live series/);
  assert.throws(() => check(createRow([series, again], 6n, Float64Array.of(1, 1))), /two live series/);
  assert.throws(() => check(createEnding([series], 1n), row(series, 2, 1)), /comes again/);
  assert.throws(() => check({ ...row(series, 1, 1), values: Float64Array.of(1, 2) }), /more or fewer/);
  assert.throws(() => check({ ...row(series, 1, 1), offsets: Float64Array.of(0.5) }), /whole nanoseconds/);
});

test('sumLastValues adds the last values of all series of a metric, ended ones too, and passes over gaps', () => {
  const other = { ...createSeries(), metric: { ...series.metric, name: 'other' } };
  const tables = [
    createRow([series, other], 1n, Float64Array.of(3, 100)),
    { ...createRow([series, other], 2n, Float64Array.of(4, 200)), ended: [series] },
    createRow([again, other], 6n, Float64Array.of(2, 300)),
    createRow([again, other], 7n, Float64Array.of(NaN, NaN)),
  ];
  assert.deepEqual([sumLastValues(tables, 'test'), sumLastValues(tables, 'other')], [6, 300]);
  assert.equal(sumLastValues(tables, 'none'), 0);
});

test('checkTables compares attributes in any order, and accepts the same ones of another resource or metric', () => {
  const ab = { ...createSeries(), attributes: { a: 1, b: 2 } };
  const ba = { ...createSeries(), attributes: { b: 2, a: 1 } };
  assert.throws(() => check(createRow([ab, ba], 1n, Float64Array.of(1, 1))), /two live series/);
  const elsewhere = { ...createSeries(), resource: { attributes: { 'host.name': 'h' } } };
  const other = { ...createSeries(), metric: { ...series.metric, name: 'other' } };
  check(createRow([series, elsewhere, other], 1n, Float64Array.of(1, 1, 1)));
});

test('checkTables refuses a series that is in two columns, or whose reset goes back in time', () => {
  assert.throws(() => check(createRow([series, series], 1n, Float64Array.of(1, 1))), /of 1 after that of 1/);
  const end = createEnding([series], 6n);
  assert.throws(() => check(row(series, 6, 1), end, row(again, 6, 0)), /of 6 after that of 6/);
  check(row(series, 6, 1), end, row(again, 7, 0));
});

function rows(offsets: readonly number[], values: readonly number[]): Table {
  return {
    series: [series],
    epoch: 10n,
    offsets: Float64Array.from(offsets),
    values: Float64Array.from(values),
  };
}

test('checkTables looks at every row of a table', () => {
  check(rows([0, 1, 2], [1, NaN, 1]));
  assert.throws(() => check(rows([0, 2, 1], [1, 1, 1])), /offset 1 after 2/);
  for (const offsets of [
    [0, 2, 1],
    [0, 1, 1],
  ]) {
    assert.throws(() => check(rows(offsets, [1, NaN, NaN])), /ascending order, found offset 1 after [12]/);
  }
  assert.throws(() => check(rows([0, 1, 2], [2, NaN, 1])), /fell to 1/);
  assert.throws(() => check(rows([0, 1], [1])), /more or fewer/);
  for (const offset of [NaN, 2 ** 53]) {
    assert.throws(() => check(rows([offset], [1])), /whole nanoseconds/);
  }
});

test('checkTables lets gauges and up-down counters fall, but not be infinite', () => {
  for (const kind of ['gauge', 'updowncounter'] as const) {
    const level = createSeries(kind);
    check(row(level, 1, 2), row(level, 2, -1));
    assert.throws(() => check(row(level, 1, -Infinity)), /is -Infinity/);
  }
});

test('checkTables names the series at fault', () => {
  const one = { ...series, attributes: { id: 7 }, resource: { attributes: { 'host.name': 'h' } } };
  assert.throws(() => check(row(one, 1, 2), row(one, 2, 1)), {
    message: 'the counter test{"id":7} of {"host.name":"h"} fell to 1',
  });
});

test('sumLastValues reads the last row of a table of several, and nothing of an ending', () => {
  const other = { ...createSeries(), attributes: { id: 1 } };
  const table = { ...createRow([series, other], 1n, Float64Array.of(1, 10, 2, NaN, 3, 30)), ended: [series] };
  const offsets = Float64Array.of(0, 1, 2);
  assert.equal(sumLastValues([{ ...table, offsets }, createEnding([other], 9n)], 'test'), 33);
});
