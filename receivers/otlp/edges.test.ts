import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../src/testing/until.js';
import { createIntake } from './intake.fixture.js';
import type { Described } from './request.fixture.js';

/** A histogram with this number of buckets. */
function explicitOf(buckets: number): Described {
  const bucketCounts = Array.from({ length: buckets }, () => 1);
  const explicitBounds = Array.from({ length: buckets - 1 }, (_, i) => i);
  return {
    name: 'h',
    kind: 'histogram',
    points: [{ start: 5n, time: 10n, histogram: { count: buckets, explicitBounds, bucketCounts } }],
  };
}

function exponentialOf(histogram: object): Described {
  const fields = { count: 0, scale: 0, ...histogram };
  return { name: 'e', kind: 'exponentialHistogram', points: [{ start: 5n, time: 10n, histogram: fields }] };
}

const side = (offset: number) => ({ count: 1, positive: { offset, bucketCounts: [1] } });
const otherSide = (offset: number) => ({ count: 1, negative: { offset, bucketCounts: [1] } });

test('take accepts histograms up to each limit, and rejects those beyond it', async (t) => {
  for (const [number, [request, rejected]] of (
    [
      [explicitOf(10_000), 0],
      [explicitOf(10_001), 1],
      [exponentialOf({ scale: -10 }), 0],
      [exponentialOf({ scale: -11 }), 1],
      [exponentialOf({ scale: 20 }), 0],
      [exponentialOf({ scale: 21 }), 1],
      [exponentialOf(side(-(2 ** 31))), 0],
      [exponentialOf(side(2 ** 31 - 1)), 0],
      [exponentialOf(otherSide(-(2 ** 31))), 0],
      [exponentialOf({ zeroThreshold: 0 }), 0],
      [exponentialOf({ zeroThreshold: -1 }), 1],
      [exponentialOf({ zeroThreshold: Infinity }), 1],
    ] as const satisfies readonly (readonly [Described, number])[]
  ).entries()) {
    const { send, collector } = createIntake(t);
    const answer = await send(request);
    assert.equal(answer.kind === 'taken' && answer.rejected, rejected, `request ${number}`);
    assert.equal(collector.histograms.length, 1 - rejected);
  }
});

test('take accepts a request while queues are 90 % full, and none beyond', async (t) => {
  let backlog = 0.9;
  const { send } = createIntake(t, {}, { readBacklog: () => backlog });
  const gauge = { name: 'g', points: [{ time: 10n, double: 1 }] };
  assert.equal((await send(gauge)).kind, 'taken');
  backlog = 0.901;
  assert.equal((await send(gauge)).kind, 'busy');
});

test('series that end together end at the last of their points', async (t) => {
  const { send, collector } = createIntake(t, { expiryMs: 40 });
  const second = 2n ** 32n;
  for (const [early, late] of [
    [10n, 20n],
    [second + 10n, second + 20n],
    [20n, 2n * second],
  ] as const) {
    collector.tables.length = 0;
    const points = [late, early].map((time, i) => ({ name: `g${i}`, points: [{ time, double: 1 }] }));
    await send(...points);
    await until(() => collector.tables.flatMap(({ ended = [] }) => ended).length === 2);
    const endings = collector.tables.filter(({ ended }) => ended !== undefined);
    assert.equal(endings.at(-1)?.epoch, late);
  }
});

test('an unchanged counter continues', async (t) => {
  const { send, list } = createIntake(t);
  for (const time of [10n, 20n])
    await send({ name: 'c', kind: 'sum', points: [{ start: 5n, time, int: 3 }] });
  assert.deepEqual(list(), ['c 5 10 3', 'c 5 20 3']);
});

test('an unchanged histogram continues, and so does a delta that is smaller than the sum', async (t) => {
  const { send, collector } = createIntake(t);
  for (const [time, temporality] of [
    [10, 2],
    [20, 2],
    [10, 1],
    [20, 1],
  ] as const) {
    const bucketCounts = [time === 10 ? 2 : temporality, 1];
    const histogram = { count: bucketCounts[0] + 1, explicitBounds: [1], bucketCounts };
    const start = BigInt(temporality === 1 ? time - 5 : 5);
    await send({
      name: `h${temporality}`,
      kind: 'histogram',
      temporality,
      points: [{ start, time: BigInt(time), histogram }],
    });
  }
  const rows = collector.histograms.map(({ series, counts }) => [series[0]?.metric.name, counts[0]]);
  assert.deepEqual(rows, [
    ['h2', 3],
    ['h2', 3],
    ['h1', 3],
    ['h1', 5],
  ]);
  assert.equal(new Set(collector.histograms.flatMap(({ series }) => series)).size, 2);
});

test('take keeps the exact timestamps of histograms that are months apart in one request', async (t) => {
  const { send, collector } = createIntake(t);
  const times = [10n, 11n + 2n ** 53n];
  const histogram = { count: 1, explicitBounds: [1], bucketCounts: [1, 0] };
  await send({ name: 'h', kind: 'histogram', points: times.map((time) => ({ start: 5n, time, histogram })) });
  const found = collector.histograms.flatMap(({ epoch, offsets }) =>
    Array.from(offsets, (offset) => epoch + BigInt(offset)),
  );
  assert.deepEqual(found, times);
});
