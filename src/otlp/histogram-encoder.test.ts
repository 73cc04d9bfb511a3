import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueuedRequest } from '../component/queue-storage.js';
import { bucketless, HistogramRow, type HistogramTable } from '../model/histogram-table.js';
import {
  exponentialOf,
  histogramOf,
  histogramTable,
  powersOfTwo,
  rowOf,
} from '../model/histogram.fixture.js';
import { createRow } from '../model/table.js';
import { readVersion } from '../version.js';
import { Batcher } from './batcher.js';
import { decodeHistograms, decodePoints } from './decode-request.fixture.js';

const limits = { maxPoints: 8192, maxBytes: 3.5 * 2 ** 20 };
const epoch = 1_795_000_001_123_456_789n;

function encode(
  tables: readonly HistogramTable[],
  { maxPoints, maxBytes } = limits,
): readonly QueuedRequest[] {
  const requests: QueuedRequest[] = [];
  const batcher = new Batcher({ maxPoints, maxBytes }, (request) => requests.push(request));
  for (const table of tables) batcher.addHistograms(table);
  batcher.flush();
  return requests;
}

const decode = (...tables: readonly HistogramTable[]) =>
  encode(tables).flatMap(({ bytes }) => decodeHistograms(bytes));
const at = (table: HistogramTable): HistogramTable => ({ ...table, epoch });

test('Batcher encodes a histogram with all its fields', () => {
  const series = histogramOf({ attributes: { route: '/', code: 200 } });
  assert.deepEqual(
    decode(at(histogramTable([[series, 5, rowOf([1, 2, 3], { sum: 4.5, min: 0.01, max: 2 })]]))),
    [
      {
        resource: { 'service.name': 'shop' },
        scope: `joulemetry ${readVersion()}`,
        name: 'http.server.request.duration',
        unit: 's',
        description: 'Duration of requests',
        kind: 'histogram 2',
        attributes: { route: '/', code: 'int 200' },
        start: 1_000n,
        time: epoch + 5n,
        flags: 0,
        count: 6n,
        sum: 4.5,
        min: 0.01,
        max: 2,
        buckets: { explicitBounds: [0.1, 1], bucketCounts: [1, 2, 3] },
      },
    ],
  );
});

test('Batcher encodes exponential buckets on both sides of zero', () => {
  const layout = {
    ...powersOfTwo,
    scale: -3,
    zeroThreshold: 0.25,
    positiveOffset: -70,
    negativeOffset: 70_000,
  };
  const [point] = decode(
    at(histogramTable([[exponentialOf({ a: 1 }), 5, rowOf([7, 1, 0, 300, 2 ** 40], { layout })]])),
  );
  assert.deepEqual(
    [point.kind, point.attributes, point.count, point.sum],
    ['exponential 2', { a: 'int 1' }, 2n ** 40n + 308n, undefined],
  );
  assert.deepEqual(point.buckets, {
    scale: -3,
    zeroCount: 7,
    zeroThreshold: 0.25,
    positive: { offset: -70, counts: [1, 0, 300] },
    negative: { offset: 70_000, counts: [2 ** 40] },
  });
});

test('Batcher encodes a histogram without buckets, a gap, and the end of a series', () => {
  const [plain, other] = [histogramOf(), exponentialOf()];
  const points = decode(
    at(
      histogramTable(
        [
          [plain, 5, rowOf([], { layout: bucketless, count: 2 ** 60, sum: -1 })],
          [other, 6, new HistogramRow().clear(powersOfTwo)],
        ],
        [plain, other],
      ),
    ),
  );
  assert.deepEqual(
    points.map(({ kind, time, count, sum, flags }) => [kind, time - epoch, count, sum, flags]),
    [
      ['histogram 2', 5n, 2n ** 60n, -1, 0],
      ['exponential 2', 6n, 0n, undefined, 1],
      ['histogram 2', 1_000_006n, 0n, undefined, 1],
      ['exponential 2', 1_000_006n, 0n, undefined, 1],
    ],
  );
});

test('Batcher puts histograms and numbers of one resource into one block of one request', () => {
  const series = histogramOf();
  const requests: QueuedRequest[] = [];
  const batcher = new Batcher(limits, (request) => requests.push(request));
  const gauge = {
    ...series,
    metric: { ...series.metric, name: 'queue', kind: 'gauge', valueType: 'int' },
  } as const;
  batcher.addHistograms(at(histogramTable([[series, 5, rowOf([1, 2, 3])]])));
  batcher.add(createRow([gauge], epoch, Float64Array.of(8)));
  batcher.flush();
  assert.equal(requests.length, 1);
  assert.equal(requests[0].points, 2);
  assert.deepEqual(
    decodePoints(requests[0].bytes).map(({ value }) => value),
    [8n],
  );
  assert.deepEqual(
    decodeHistograms(requests[0].bytes).map(({ count }) => count),
    [6n],
  );
});

/** Rows of some metrics of two resources. */
function manyRows(count: number): HistogramTable {
  return at(
    histogramTable(
      Array.from({ length: count }, (_, i) => {
        const series = histogramOf({
          name: `metric.${i % 3}`,
          attributes: { i },
          resource: { attributes: { half: i < count / 2 } },
        });
        return [series, i, rowOf([i, 1, 0], { sum: i })] as const;
      }),
    ),
  );
}

test('Batcher keeps requests of histograms within the limits, and loses none', () => {
  const table = manyRows(300);
  const all = decode(table).map(({ count }) => count);
  assert.equal(all.length, 300);
  for (const some of [{ maxPoints: 7 }, { maxBytes: 1500 }]) {
    const requests = encode([table], { ...limits, ...some });
    assert.deepEqual(
      requests.flatMap(({ bytes }) => decodeHistograms(bytes)).map(({ count }) => count),
      all,
    );
    assert.ok(requests.length > 20, `expected many requests, found ${requests.length}`);
    for (const { bytes, points } of requests) {
      assert.ok(points <= (some.maxPoints ?? Infinity), `${points} points`);
      assert.ok(bytes.length <= (some.maxBytes ?? Infinity), `${bytes.length} bytes`);
    }
  }
});

test('Batcher sends a histogram that exceeds the maximum request size as it is', () => {
  const requests = encode([manyRows(2)], { maxPoints: 10, maxBytes: 10 });
  assert.deepEqual(
    requests.map(({ points }) => points),
    [1, 1],
  );
});

test('A request of histograms can be halved repeatedly down to single points', () => {
  const [request] = encode([manyRows(5)]);
  const cut = (one: QueuedRequest): readonly QueuedRequest[] => one.split?.()?.flatMap(cut) ?? [one];
  const parts = cut(request);
  assert.deepEqual(
    parts.map(({ points }) => points),
    [1, 1, 1, 1, 1],
  );
  assert.deepEqual(
    parts.flatMap(({ bytes }) => decodeHistograms(bytes)),
    decode(manyRows(5)),
  );
});
