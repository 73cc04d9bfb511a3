import { test } from 'node:test';
import { checkHistograms } from '../../src/model/check-histograms.js';
import { checkTables } from '../../src/model/check-tables.js';
import type { HistogramTable } from '../../src/model/histogram-table.js';
import type { Table } from '../../src/model/table.js';
import { fc } from '../../src/testing/fixed-seed.fixture.js';
import { holdsForAsync } from '../../src/testing/property.fixture.js';
import { createIntake } from './intake.fixture.js';
import { encodeRequest, type Described, type Point } from './request.fixture.js';

/** Few timestamps, names and attributes, so that points often belong to the same series and conflict. */
const instant = fc.integer({ min: 0, max: 12 }).map(BigInt);
const number = fc.oneof(fc.integer({ min: -1, max: 9 }), fc.constantFrom(NaN, Infinity, 0.5, 2 ** 60));

const point: fc.Arbitrary<Point> = fc.record(
  {
    time: instant,
    start: instant,
    double: number,
    int: fc.integer({ min: -1, max: 9 }),
    flags: fc.constantFrom(0, 0, 0, 1),
    attributes: fc.constantFrom({}, { a: 1 }, { a: 1, b: 'x' }, { b: 'x', a: 1 }),
  },
  { requiredKeys: ['time'] },
);

const count = fc.oneof(fc.nat(3), fc.nat(3), fc.constantFrom(2 ** 40));
const counts = fc.array(count, { minLength: 3, maxLength: 3 });
const side = fc.record({
  offset: fc.integer({ min: -9, max: 9 }),
  bucketCounts: fc.array(count, { maxLength: 4 }),
});
const figures = fc.record({ sum: number, min: number, max: number }, { requiredKeys: [] });
const sumOf = (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0);

const explicit = fc
  .record({
    bucketCounts: counts,
    wrong: fc.constantFrom(0, 0, 0, 1),
    bounds: fc.constantFrom([1, 2], [1, 2], [1, 3], [2, 1]),
  })
  .map(({ bucketCounts, wrong, bounds }) => ({
    count: sumOf(bucketCounts) + wrong,
    bucketCounts,
    explicitBounds: bounds,
  }));

const exponential = fc
  .record({
    positive: side,
    negative: side,
    zeroCount: count,
    scale: fc.integer({ min: -2, max: 2 }),
    zeroThreshold: fc.constantFrom(0, 0, 0.5),
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

const histogramMetric: fc.Arbitrary<Described> = fc
  .constantFrom(['histogram', explicit] as const, ['exponentialHistogram', exponential] as const)
  .chain(([kind, buckets]) =>
    fc.record(
      {
        name: fc.constantFrom('m', 'h'),
        kind: fc.constant(kind),
        temporality: fc.constantFrom(0, 1, 1, 2, 2),
        points: fc.array(
          fc
            .record({ point, buckets, figures })
            .map(({ point: base, figures: some, buckets: all }) =>
              Object.assign(base, { histogram: Object.assign(some, all) }),
            ),
          { maxLength: 6 },
        ),
      },
      { requiredKeys: ['name', 'kind', 'points'] },
    ),
  );

const metric: fc.Arbitrary<Described> = fc.record(
  {
    name: fc.constantFrom('m', 'n'),
    description: fc.constantFrom('', 'd'),
    kind: fc.constantFrom('gauge' as const, 'sum' as const, 'sum' as const, 'summary' as const),
    temporality: fc.constantFrom(0, 1, 2, 2),
    isMonotonic: fc.boolean(),
    points: fc.array(point, { maxLength: 8 }),
  },
  { requiredKeys: ['name', 'points'] },
);

const request = fc.record({
  scope: fc.constantFrom('s', 's', 't'),
  metrics: fc.array(fc.oneof(metric, histogramMetric), { maxLength: 3 }),
  /** The first table of this request that is refused; all later ones are, too. */
  refusedFrom: fc.constantFrom(Infinity, Infinity, 0, 1, 2),
});

test('whatever is sent or refused, tables are valid in the model', async (t) => {
  await holdsForAsync(fc.array(request, { maxLength: 12 }), async (requests) => {
    const tables: Table[] = [];
    const histograms: HistogramTable[] = [];
    let left = 0;
    const consume = (table: Table) => {
      if (table.offsets.length > 0 && left <= 0) return false;
      left -= 1;
      tables.push(table);
      return true;
    };
    const consumeHistograms = (table: HistogramTable) => {
      if (table.series.length > 0 && left <= 0) return false;
      left -= 1;
      histograms.push(table);
      return true;
    };
    const { intake } = createIntake(t, {}, {}, { consume, consumeHistograms });
    for (const { refusedFrom, ...block } of requests) {
      left = refusedFrom;
      const bytes = encodeRequest(block);
      const { kind } = await intake.take(bytes);
      if (kind === 'failed') throw new Error('a request failed');
      left = Infinity;
      // As senders do if their request was refused.
      if (kind === 'busy') await intake.take(bytes);
    }
    await intake.shutdown();
    checkTables(tables);
    checkHistograms(histograms);
  });
});
