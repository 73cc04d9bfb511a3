import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueuedRequest } from '../component/queue-storage.js';
import { energy } from '../export/exporter.fixture.js';
import { isNumberSeries } from '../recording/recorded-series.js';
import { anyTables, flatten, type FlatPoint } from '../recording/recording.fixture.js';
import { fc } from '../testing/fixed-seed.fixture.js';
import { decodeSeries } from './series-record.js';
import { SqlBatcher } from './sql-batcher.js';
import { createSqlRequest, parseRequest } from './sql-request.js';

const wide = { max_points: 8192, max_bytes: 4 * 2 ** 20 };

function batch(tables: Parameters<SqlBatcher['add']>[0][], limits = wide): readonly QueuedRequest[] {
  const requests: QueuedRequest[] = [];
  const batcher = new SqlBatcher(limits, (request) => void requests.push(request));
  for (const table of tables) batcher.add(table);
  batcher.flush();
  assert.equal(batcher.points, 0);
  return requests;
}

/** Every point and end of a request. */
function listPoints({ bytes, points }: QueuedRequest): readonly FlatPoint[] {
  const request = parseRequest(bytes);
  assert.equal(request.points + request.ends, points);
  const records = request.series.map((one) => decodeSeries(one).series).filter(isNumberSeries);
  return Array.from(request.times, (time, i) => {
    const { metric, resource, attributes, start } = records[request.indexes[i]];
    const value = i < request.points ? request.values[i] : undefined;
    return { metric, resource: resource.attributes, attributes, start, time, value };
  });
}

function splitFully(request: QueuedRequest): readonly QueuedRequest[] {
  return request.split?.()?.flatMap(splitFully) ?? [request];
}

function describe(points: readonly FlatPoint[]): readonly string[] {
  return points
    .map((point) =>
      JSON.stringify(point, (_, value: unknown) =>
        typeof value === 'bigint'
          ? `${value}`
          : Object.is(value, -0)
            ? '-0'
            : typeof value === 'number'
              ? String(value)
              : value,
      ),
    )
    .toSorted();
}

test('requests have every point and end of the tables, with any limits, even after being split', () => {
  fc.assert(
    fc.property(
      anyTables,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 3000 }),
      (tables, maxPoints, maxBytes) => {
        const expected = describe(flatten(tables));
        for (const limits of [wide, { max_points: maxPoints, max_bytes: maxBytes }]) {
          const requests = batch([...tables], limits);
          for (const { points } of requests) assert.ok(points <= limits.max_points);
          assert.deepEqual(describe(requests.flatMap(listPoints)), expected);
          const parts = requests.flatMap(splitFully);
          assert.ok(parts.every(({ points }) => points === 1));
          assert.deepEqual(describe(parts.flatMap(listPoints)), expected);
        }
      },
    ),
  );
});

test('a stored request can start at any byte', () => {
  const table = { series: [], epoch: 0n, offsets: Float64Array.of(), values: Float64Array.of() };
  const series = {
    metric: { name: 'a', unit: 'J', description: '', kind: 'gauge', valueType: 'int' },
    resource: { attributes: {} },
    attributes: {},
    start: 7n,
  } as const;
  const [request] = batch([
    {
      ...table,
      series: [series],
      epoch: 5n,
      offsets: Float64Array.of(0, 2),
      values: Float64Array.of(1, NaN),
    },
  ]);
  assert.ok(request);
  const stored = Buffer.concat([Buffer.from('xyz'), request.bytes]).subarray(3);
  assert.deepEqual(listPoints(createSqlRequest({ bytes: stored, points: 2 })), listPoints(request));
});

test('parseRequest refuses other bytes', () => {
  const [request] = batch([]);
  assert.equal(request, undefined);
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(100), Buffer.from('1QSQ............')])
    assert.throws(
      () => parseRequest(bytes),
      /expected a request of an exporter to a database, found other bytes/u,
    );
});

test('parseRequest refuses a truncated request, or points without a series', () => {
  const table = { series: [energy], epoch: 5n, offsets: Float64Array.of(0), values: Float64Array.of(1) };
  const [request] = batch([table]);
  assert.ok(request);
  const { bytes } = request;
  assert.equal(parseRequest(bytes).series.length, 1);
  const indexAt = bytes.length - 12 - (parseRequest(bytes).series[0]?.text.length ?? 0) - 4;
  const other = Buffer.from(bytes);
  other.writeUInt32LE(1, indexAt);
  for (const damaged of [other, bytes.subarray(0, -1), bytes.subarray(0, indexAt + 8)])
    assert.throws(() => parseRequest(damaged), /found other bytes/u);
});
