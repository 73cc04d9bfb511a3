import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createIntake } from '../receivers/otlp/intake.fixture.js';
import { encodeRequest, type Described } from '../receivers/otlp/request.fixture.js';
import type { HistogramTable } from '../src/model/histogram-table.js';
import { Batcher } from '../src/otlp/batcher.js';
import { decodeHistograms, type DecodedHistogram } from '../src/otlp/decode-request.fixture.js';
import { fc } from '../src/testing/fixed-seed.fixture.js';
import { holdsForAsync } from '../src/testing/property.fixture.js';

const count = fc.oneof(fc.nat(200), fc.nat(200), fc.constantFrom(0, 2 ** 40));
const sumOf = (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0);
const finite = fc.double({ noDefaultInfinity: true });
const figures = fc.record({ sum: finite, min: finite, max: finite }, { requiredKeys: [] });

const explicit = fc.integer({ min: 1, max: 20 }).chain((bounds) =>
  fc.array(count, { minLength: bounds + 1, maxLength: bounds + 1 }).map((bucketCounts) => ({
    count: sumOf(bucketCounts),
    explicitBounds: Array.from({ length: bounds }, (_, i) => (i - 3) * 1.5),
    bucketCounts,
  })),
);

const side = fc.record({
  offset: fc.integer({ min: -1000, max: 1000 }),
  bucketCounts: fc.array(count, { minLength: 1, maxLength: 9 }),
});
const exponential = fc
  .record({
    scale: fc.integer({ min: -10, max: 20 }),
    zeroCount: count,
    zeroThreshold: fc.constantFrom(0, 0.5),
    positive: side,
    negative: side,
  })
  .map((buckets) =>
    Object.assign(
      {
        count:
          buckets.zeroCount + sumOf(buckets.positive.bucketCounts) + sumOf(buckets.negative.bucketCounts),
      },
      buckets,
    ),
  );

function metricOf(
  kind: 'histogram' | 'exponentialHistogram',
  buckets: fc.Arbitrary<object>,
): fc.Arbitrary<Described> {
  const point = fc.record({ buckets, figures, flags: fc.constantFrom(0, 0, 0, 1) });
  return fc
    .record({ unit: fc.constantFrom('s', ''), points: fc.array(point, { minLength: 1, maxLength: 4 }) })
    .map(({ unit, points }) => ({
      name: kind,
      unit,
      kind,
      points: points.map(({ buckets: own, figures: some, flags }, i) => ({
        start: 7n,
        time: 1_800_000_000_000_000_000n + BigInt(i),
        // Each belongs to its own series: they do not continue each other.
        attributes: { i, text: 'x' },
        flags,
        histogram: flags === 1 ? {} : { ...some, ...own },
      })),
    }));
}

/** The fields that are the same for both, whichever collector sent them. */
function strip(point: DecodedHistogram): object {
  const { sum, min, max } = point;
  const known = Object.entries({ sum, min, max }).filter(
    ([, value]) => value !== undefined && !Number.isNaN(value),
  );
  return {
    ...point,
    scope: '',
    sum: undefined,
    min: undefined,
    max: undefined,
    ...Object.fromEntries(known),
  };
}

test('histograms that are received by OTLP are sent by OTLP as the same points', async (t) => {
  const requests: Uint8Array[] = [];
  const batcher = new Batcher({ maxPoints: 8192, maxBytes: 2 ** 20 }, ({ bytes }) =>
    requests.push(Buffer.from(bytes)),
  );
  const next = {
    consume: () => assert.fail('a table of numbers'),
    consumeHistograms(table: HistogramTable) {
      batcher.addHistograms(table);
      return true;
    },
  };
  const { intake } = createIntake(t, { maxSeries: 1e6 }, {}, next);
  let run = 0;
  const metrics = fc.tuple(metricOf('histogram', explicit), metricOf('exponentialHistogram', exponential));
  await holdsForAsync(metrics, async (sent) => {
    run += 1;
    const request = encodeRequest({ resource: { run }, metrics: sent });
    assert.deepEqual(await intake.take(request), { kind: 'taken', rejected: 0, message: '' });
    batcher.flush();
    assert.deepEqual(sorted(requests.splice(0).flatMap(decodeHistograms)), sorted(decodeHistograms(request)));
  });
});

function sorted(points: readonly DecodedHistogram[]): readonly object[] {
  return points.map(strip).toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
}

function textOf(point: object): string {
  return JSON.stringify(point, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
