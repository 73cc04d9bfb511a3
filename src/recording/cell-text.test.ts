import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  exponentialOf,
  histogramOf,
  histogramTable,
  powersOfTwo,
  rowOf,
} from '../model/histogram.fixture.js';
import type { Series } from '../model/series.js';
import { createEnding } from '../model/table.js';
import { fc } from '../testing/fixed-seed.fixture.js';
import {
  createEndRow,
  createHistogramEndRows,
  doubleText,
  intText,
  parseTime,
  timeText,
} from './cell-text.js';

test('doubleText gives a text of the same double, for any double', () => {
  fc.assert(fc.property(fc.double({ noNaN: true }), (value) => Object.is(Number(doubleText(value)), value)));
});

test('doubleText writes exponents with two digits', () => {
  const texts = [1e-7, -2.5e-9, 1e-10, 1e21, 0.000_001, -0].map(doubleText);
  assert.deepEqual(texts, ['1e-07', '-2.5e-09', '1e-10', '1e+21', '0.000001', '-0']);
});

test('intText writes plain digits within 64 bits', () => {
  const texts = [-0, 2.5, 2 ** 53, 1e19, -1e300].map(intText);
  assert.deepEqual(texts, ['0', '3', '9007199254740992', '9223372036854774784', '-9223372036854775808']);
});

test('timeText writes nanoseconds and UTC', () => {
  assert.equal(timeText(1_767_323_045_678_901_234n), '2026-01-02T03:04:05.678901234Z');
  assert.equal(timeText(0n), '1970-01-01T00:00:00.000000000Z');
  assert.equal(timeText(-1n), '1969-12-31T23:59:59.999999999Z');
});

test('parseTime reads the output of timeText, for any instant', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(2n ** 62n), max: 2n ** 63n - 1n }),
      (ns) => parseTime(timeText(ns)) === ns,
    ),
  );
});

test('parseTime accepts other zones and fewer digits, and rejects invalid instants', () => {
  assert.equal(parseTime('1970-01-01T01:00:00.5+01:00'), 500_000_000n);
  assert.equal(parseTime('1970-01-01 00:00:01Z'), 1_000_000_000n);
  assert.equal(parseTime('1970-01-01'), undefined);
  assert.equal(parseTime('1970-13-01T00:00:00Z'), undefined);
});

test('parseTime rejects an instant beyond 64 bits', () => {
  assert.equal(parseTime('2262-04-11T23:47:16.854775807Z'), 2n ** 63n - 1n);
  assert.equal(parseTime('2262-04-11T23:47:16.854775808Z'), undefined);
  assert.equal(parseTime('0001-01-01T00:00:00Z'), undefined);
});

const metric = { name: 'a', unit: 'J', description: '', kind: 'counter', valueType: 'double' } as const;
const series: Series = { metric, resource: { attributes: {} }, attributes: {}, start: 0n };

test('createEndRow has a gap of each ended series, at the instant of the last row', () => {
  const table = {
    series: [series],
    epoch: 10n,
    offsets: Float64Array.of(0, 5),
    values: Float64Array.of(1, 2),
  };
  const ended = [series, { ...series }];
  const row = createEndRow(table, ended);
  assert.equal(row.series, ended);
  assert.deepEqual([row.epoch, [...row.offsets], [...row.values]], [15n, [0], [NaN, NaN]]);
});

test('createEndRow of a table without rows is at its own instant', () => {
  assert.deepEqual([createEndRow(createEnding([series], 10n), [series]).epoch], [10n]);
});

test('createHistogramEndRows has a gap of each ended series, at the latest instant of the table', () => {
  const [one, other] = [histogramOf(), exponentialOf()];
  const table = histogramTable([
    [one, 2_005, rowOf([1, 2, 3])],
    [other, 2_001, rowOf([1, 2, 3, 4, 5], { layout: powersOfTwo })],
  ]);
  const rows = createHistogramEndRows(table, [other, one]);
  assert.deepEqual([rows.series, rows.epoch, [...rows.offsets]], [[other, one], 2_005n, [0, 0]]);
  assert.deepEqual([[...rows.counts], rows.buckets.length], [[NaN, NaN], 0]);
  assert.deepEqual(
    rows.layouts.map(({ kind }) => kind),
    ['exponential_histogram', 'histogram'],
  );
});
