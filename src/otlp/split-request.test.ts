import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueuedRequest } from '../component/queue-storage.js';
import type { Metric, Resource, Series } from '../model/series.js';
import { Batcher } from './batcher.js';
import { decodePoints } from './decode-request.fixture.js';
import { splitRequest } from './split-request.js';

const start = 1_795_000_000_000_000_001n;
const hosts: readonly Resource[] = [
  { attributes: { 'host.name': 'node-1' } },
  { attributes: { 'host.name': 'n'.repeat(300) } },
];
const metrics: readonly Metric[] = [
  { name: 'hw.energy', unit: 'J', description: 'Energy used', kind: 'counter', valueType: 'double' },
  { name: 'hw.power', unit: 'W', description: '', kind: 'gauge', valueType: 'int' },
];
/** Two resources with two metrics of two series each. */
const series: readonly Series[] = hosts.flatMap((resource) =>
  metrics.flatMap((metric) =>
    ['a', 'b'.repeat(200)].map((id) => ({ metric, resource, attributes: { 'hw.id': id }, start })),
  ),
);

/** A request with this number of rows of all series; one of the values is a gap. */
function encode(rows: number): QueuedRequest {
  const requests: QueuedRequest[] = [];
  const limits = { maxPoints: 1e6, maxBytes: 1e9 };
  const batcher = new Batcher(limits, (request) => requests.push(request));
  const values = Float64Array.from({ length: rows * series.length }, (_, cell) => cell);
  values[1] = NaN;
  const offsets = Float64Array.from({ length: rows }, (_, row) => row * 1e6);
  batcher.add({ series, epoch: start, offsets, values });
  batcher.flush();
  return requests[0];
}

/** The halves of the halves and so on, down to single points. */
function splitUp(request: QueuedRequest): readonly QueuedRequest[] {
  return request.split?.()?.flatMap(splitUp) ?? [request];
}

test('splitRequest returns both halves of the points, in order, with all fields that contain them', () => {
  for (const rows of [1, 2, 7]) {
    const { bytes, points } = encode(rows);
    const halves = splitRequest({ bytes, points }) ?? [];
    const decoded = halves.map((half) => decodePoints(half.bytes));
    assert.deepEqual(decoded.flat(), decodePoints(bytes));
    assert.deepEqual(
      decoded.map(({ length }) => length),
      halves.map((half) => half.points),
    );
    assert.deepEqual(
      halves.map((half) => half.points),
      [points >> 1, points - (points >> 1)],
    );
  }
});

test('a request of the Batcher can be divided down to single points, and no further', () => {
  const request = encode(3);
  const single = splitUp(request);
  assert.equal(single.length, request.points);
  assert.ok(single.every(({ points }) => points === 1));
  assert.deepEqual(
    single.flatMap(({ bytes }) => decodePoints(bytes)),
    decodePoints(request.bytes),
  );
});

test('splitRequest throws for bytes that are not a request', () => {
  assert.throws(
    () => splitRequest({ bytes: Buffer.of(0x0a, 0x7f), points: 2 }),
    /expected at least 129 bytes, found 2$/,
  );
  assert.throws(
    () => splitRequest({ bytes: Buffer.of(0x0b), points: 2 }),
    /expected wire type 0, 1, 2 or 5 before byte 1, found 3$/,
  );
});
