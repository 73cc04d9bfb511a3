import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueuedRequest } from '../component/queue-storage.js';
import type { Attributes, Metric, Resource, Series } from '../model/series.js';
import { createEnding, createRow, type Table } from '../model/table.js';
import { readVersion } from '../version.js';
import { Batcher } from './batcher.js';
import { decodePoints, decodeResources } from './decode-request.fixture.js';

const host: Resource = { attributes: { 'host.name': 'node-1' } };
const start = 1_795_000_000_000_000_001n;
const epoch = 1_795_000_001_123_456_789n;
const energy: Metric = {
  name: 'hw.energy',
  unit: 'J',
  description: 'Energy used',
  kind: 'counter',
  valueType: 'double',
};
const limits = { maxPoints: 8192, maxBytes: 3.5 * 2 ** 20 };

function seriesOf(metric: Partial<Metric> = {}, attributes: Attributes = {}, resource = host): Series {
  return { metric: { ...energy, ...metric }, resource, attributes, start };
}

/** The requests for these tables, flushed at the end. */
function encode(tables: readonly Table[], { maxPoints, maxBytes } = limits): readonly QueuedRequest[] {
  const requests: QueuedRequest[] = [];
  const batcher = new Batcher({ maxPoints, maxBytes }, (request) => requests.push(request));
  for (const table of tables) batcher.add(table);
  batcher.flush();
  return requests;
}

function decode(tables: readonly Table[]) {
  return encode(tables).flatMap(({ bytes }) => decodePoints(bytes));
}

test('Batcher encodes a counter with resource, scope, start, time and value', () => {
  const series = seriesOf({}, { 'hw.id': 'package-0' });
  assert.deepEqual(decode([createRow([series], epoch, Float64Array.of(12.5))]), [
    {
      resource: { 'host.name': 'node-1' },
      scope: `joulemetry ${readVersion()}`,
      name: 'hw.energy',
      unit: 'J',
      description: 'Energy used',
      kind: 'sum 2 true',
      attributes: { 'hw.id': 'package-0' },
      start,
      time: epoch,
      value: 12.5,
      flags: 0,
    },
  ]);
});

test('Batcher encodes gauges and up-down counters with their kinds', () => {
  const series = [seriesOf({ name: 'a', kind: 'gauge' }), seriesOf({ name: 'b', kind: 'updowncounter' })];
  const kinds = decode([createRow(series, epoch, Float64Array.of(1, 2))]).map(({ name, kind }) => [
    name,
    kind,
  ]);
  assert.deepEqual(kinds, [
    ['a', 'gauge'],
    ['b', 'sum 2 false'],
  ]);
});

test('Batcher encodes integers exactly, and clamps them to 64 bits', () => {
  const values = [0, -1, 2 ** 32, -(2 ** 32) - 1, 2 ** 53, -(2 ** 53), 2 ** 62, Infinity, -Infinity];
  const series = values.map((_, i) => seriesOf({ valueType: 'int' }, { i }));
  const decoded = decode([createRow(series, epoch, Float64Array.from(values))]).map(({ value }) => value);
  assert.deepEqual(decoded, [
    0n,
    -1n,
    2n ** 32n,
    -(2n ** 32n) - 1n,
    2n ** 53n,
    -(2n ** 53n),
    2n ** 62n,
    2n ** 63n - 1024n,
    -(2n ** 63n),
  ]);
});

test('Batcher keeps every nanosecond, even if adding the offset carries into the upper half', () => {
  const nearCarry = (start & ~0xffff_ffffn) | 0xffff_fffen;
  const table: Table = {
    series: [seriesOf()],
    epoch: nearCarry,
    offsets: Float64Array.of(0, 1, 2, 2 ** 32, 2 ** 45 + 1),
    values: new Float64Array(5),
  };
  const times = decode([table]).map(({ time }) => time - nearCarry);
  assert.deepEqual(times, [0n, 1n, 2n, 2n ** 32n, 2n ** 45n + 1n]);
});

test('Batcher encodes strings, numbers and booleans as attributes of their types', () => {
  const attributes = {
    text: 'grün \u{1f50b}',
    empty: '',
    yes: true,
    no: false,
    whole: -7,
    part: 0.5,
    far: 2 ** 60,
  };
  const [point] = decode([createRow([seriesOf({}, attributes)], epoch, Float64Array.of(1))]);
  assert.deepEqual(point.attributes, { ...attributes, whole: 'int -7' });
});

test('Batcher encodes attributes longer than 127 and than 16,383 bytes', () => {
  const attributes = { long: 'x'.repeat(200), longer: 'ü'.repeat(20_000) };
  const [point] = decode([createRow([seriesOf({}, attributes)], epoch, Float64Array.of(3))]);
  assert.deepEqual([point.attributes, point.value, point.time], [attributes, 3, epoch]);
});

test('Batcher encodes a gap as a point without a recorded value, among any other points', () => {
  const long = { name: 'x'.repeat(60) };
  const table: Table = {
    series: [seriesOf(), seriesOf({ valueType: 'int', name: 'n' }, long)],
    epoch,
    offsets: Float64Array.of(0, 10),
    values: Float64Array.of(1, NaN, NaN, 4),
  };
  const points = decode([table]).map(({ name, time, value, flags }) => [name, time - epoch, value, flags]);
  assert.deepEqual(points, [
    ['hw.energy', 0n, 1, 0],
    ['hw.energy', 10n, undefined, 1],
    ['n', 0n, undefined, 1],
    ['n', 10n, 4n, 0],
  ]);
});

test('Batcher ends a series with one point without a value, a millisecond after its end', () => {
  const series = seriesOf({}, { 'hw.id': 'gone' });
  const points = decode([createRow([series], epoch, Float64Array.of(1)), createEnding([series], epoch)]);
  assert.deepEqual(
    points.map(({ attributes, time, value, flags }) => [attributes['hw.id'], time - epoch, value, flags]),
    [
      ['gone', 0n, 1, 0],
      ['gone', 1_000_000n, undefined, 1],
    ],
  );
});

test('Batcher ends a series a millisecond after the last row of the same table', () => {
  const [series, other] = [seriesOf(), seriesOf({ name: 'other' })];
  const offsets = Float64Array.of(0, 7);
  const table: Table = {
    series: [series, other],
    epoch,
    offsets,
    values: new Float64Array(4),
    ended: [series],
  };
  const ends = decode([table]).filter(({ flags }) => flags === 1);
  assert.deepEqual(
    ends.map(({ name, time }) => [name, time - epoch]),
    [['hw.energy', 1_000_007n]],
  );
});

test('Batcher puts equal resources of several tables into one ResourceMetrics', () => {
  const twin: Resource = { attributes: { b: 2, a: 1 } };
  const tables = [
    createRow([seriesOf({}, {}, { attributes: { a: 1, b: 2 } })], epoch, Float64Array.of(1)),
    createRow([seriesOf({}, {}, host), seriesOf({ name: 'x' }, {}, twin)], epoch, Float64Array.of(2, 3)),
  ];
  const [request, ...others] = encode(tables);
  assert.equal(others.length, 0);
  assert.equal(request.points, 3);
  const resources = decodeResources(request.bytes).map(({ scopeMetrics }) =>
    scopeMetrics.map(({ metrics }) => metrics.map(({ name }) => name)),
  );
  assert.deepEqual(resources, [[['hw.energy', 'x']], [['hw.energy']]]);
});

test('Batcher separates metrics that have only their name in common', () => {
  const series = [seriesOf(), seriesOf({ unit: 'kJ' }), seriesOf({}, { id: 1 })];
  const points = decode([createRow(series, epoch, Float64Array.of(1, 2, 3))]);
  assert.deepEqual(
    points.map(({ unit, value }) => [unit, value]),
    [
      ['J', 1],
      ['J', 3],
      ['kJ', 2],
    ],
  );
});

test('Batcher puts 200 resources into one request', () => {
  const series = Array.from({ length: 200 }, (_, pid) =>
    seriesOf({}, {}, { attributes: { 'process.pid': pid } }),
  );
  const [request, ...others] = encode([
    createRow(
      series,
      epoch,
      Float64Array.from(series, (_, i) => i),
    ),
  ]);
  assert.equal(others.length, 0);
  const points = decodePoints(request.bytes);
  assert.equal(points.length, 200);
  assert.ok(points.every(({ resource, value }) => resource['process.pid'] === `int ${value}`));
});

test('Batcher divides a table of 1,000 rows by 2,000 columns and loses no cell', () => {
  const series = Array.from({ length: 2000 }, (_, i) => seriesOf({}, { i }));
  const offsets = Float64Array.from({ length: 1000 }, (_, row) => row);
  const values = Float64Array.from({ length: 2_000_000 }, (_, cell) => cell);
  const requests = encode([{ series, epoch, offsets, values }]);
  assert.equal(requests.length, 250);
  assert.ok(requests.every(({ points, bytes }) => points === 8000 && bytes.length <= 3.5 * 2 ** 20));
  const cells = decodePoints(requests[249].bytes).map(({ attributes, time, value }) => [
    Number(time - epoch) * 2000 + Number(String(attributes['i']).slice('int '.length)),
    Number(value),
  ]);
  assert.equal(new Set(cells.map(([cell]) => cell)).size, 8000);
  assert.ok(cells.every(([cell, value]) => cell === value && value >= 996 * 2000));
});

test('Batcher divides a row that is wider than a request', () => {
  const series = Array.from({ length: 25 }, (_, i) => seriesOf({}, { i }));
  const table: Table = {
    series,
    epoch,
    offsets: Float64Array.of(0, 1),
    values: Float64Array.from({ length: 50 }, (_, cell) => cell),
  };
  const requests = encode([table], { maxPoints: 10, maxBytes: 1e6 });
  assert.deepEqual(
    requests.map(({ points }) => points),
    [10, 10, 10, 10, 10],
  );
  const values = requests.flatMap(({ bytes }) => decodePoints(bytes)).map(({ value }) => Number(value));
  assert.deepEqual(
    values.toSorted((a, b) => a - b),
    [...table.values],
  );
});

test('Batcher divides by bytes if attributes are long', () => {
  const series = Array.from({ length: 40 }, (_, i) => seriesOf({}, { i, text: 'x'.repeat(1000) }));
  const requests = encode([createRow(series, epoch, new Float64Array(40))], {
    maxPoints: 8192,
    maxBytes: 10_000,
  });
  assert.ok(requests.every(({ bytes }) => bytes.length <= 10_000));
  assert.equal(requests.flatMap(({ bytes }) => decodePoints(bytes)).length, 40);
});

test('Batcher sends a point longer than a request on its own', () => {
  const series = [seriesOf({}, { text: 'x'.repeat(5000) }), seriesOf({ name: 'short' })];
  const requests = encode([createRow(series, epoch, Float64Array.of(1, 2))], {
    maxPoints: 10,
    maxBytes: 1000,
  });
  assert.deepEqual(
    requests.map(({ points }) => points),
    [1, 1],
  );
});

test('Batcher fills requests to the limit with the rows of small tables', () => {
  const series = [seriesOf({ name: 'a' }), seriesOf({ name: 'b' })];
  const offsets = Float64Array.of(0, 1, 2);
  const table: Table = { series, epoch, offsets, values: Float64Array.of(1, 2, 3, 4, 5, 6) };
  const requests = encode([table, table, table], { maxPoints: 8, maxBytes: 1e6 });
  assert.deepEqual(
    requests.map(({ points }) => points),
    [8, 8, 2],
  );
});

test('Batcher reuses memory only after its release', () => {
  const series = Array.from({ length: 2000 }, (_, i) => seriesOf({}, { i }));
  const tables = [1, 2, 3].map((value) => createRow(series, epoch, new Float64Array(2000).fill(value)));
  const requests: QueuedRequest[] = [];
  const batcher = new Batcher(limits, (request) => requests.push(request));
  const send = (table: Table) => {
    batcher.add(table);
    batcher.flush();
  };
  send(tables[0]);
  send(tables[1]);
  assert.equal(decodePoints(requests[0].bytes)[7]?.value, 1);
  requests[0].release?.();
  send(tables[2]);
  assert.equal(requests[2].bytes.buffer, requests[0].bytes.buffer);
  assert.deepEqual(
    [1, 2].map((i) => decodePoints(requests[i].bytes)[7]?.value),
    [2, 3],
  );
});
