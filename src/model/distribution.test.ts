import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AggregationTemporality,
  AggregationType,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { fc } from '../testing/fixed-seed.fixture.js';
import { holdsFor, holdsForAsync } from '../testing/property.fixture.js';
import { createRandom } from '../testing/random.fixture.js';
import { upperBound } from './add-histograms.js';
import { findHistogramProblem } from './check-histograms.js';
import { ExplicitDistribution, ExponentialDistribution, type Distribution } from './distribution.js';
import { HistogramRow } from './histogram-table.js';

function rowOf(distribution: Distribution, numbers: readonly number[]): HistogramRow {
  distribution.clear();
  for (const number of numbers) distribution.add(Float64Array.of(number), 0);
  const row = new HistogramRow();
  distribution.write(row);
  assert.equal(findHistogramProblem(row), undefined);
  return row;
}

function exponentialOf(numbers: readonly number[]) {
  const row = rowOf(new ExponentialDistribution(), numbers);
  assert.equal(row.layout.kind, 'exponential_histogram');
  return { row, layout: row.layout };
}

test('ExplicitDistribution counts a bound in the bucket below it, and ignores what is no number', () => {
  const layout = { kind: 'histogram', bounds: Float64Array.of(0, 10, 20) } as const;
  const distribution = new ExplicitDistribution(layout);
  const row = rowOf(distribution, [-1, 0, 0.5, 10, 20, 20.5, 1e9, NaN, Infinity]);
  assert.deepEqual([...row.buckets], [2, 2, 1, 2]);
  assert.deepEqual([row.count, row.sum, row.min, row.max], [7, 1e9 + 50, -1, 1e9]);
  assert.equal(row.layout, layout);
  const empty = rowOf(distribution, []);
  assert.deepEqual([empty.count, empty.sum, empty.min, empty.max], [0, 0, NaN, NaN]);
});

test('ExponentialDistribution counts zeros and signs apart, at the finest scale that has place', () => {
  const { row, layout } = exponentialOf([0, 0, 1, 2, 4, 4, -8]);
  // 1 and 4 are 2 powers of 2 apart: 160 buckets have place for them with 64 a power.
  assert.equal(layout.scale, 6);
  assert.deepEqual([layout.positiveOffset, layout.positiveCount], [-1, 129]);
  assert.deepEqual([layout.negativeOffset, layout.negativeCount], [191, 1]);
  const counts = Object.fromEntries([...row.buckets.entries()].filter(([, count]) => count > 0));
  assert.deepEqual(counts, { 0: 2, 1: 1, 65: 1, 129: 2, 130: 1 });
  const single = exponentialOf([5]);
  assert.deepEqual([single.layout.scale, single.layout.positiveCount], [20, 1]);
});

test('ExponentialDistribution counts the smallest numbers as the smallest with all its digits', () => {
  const { row, layout } = exponentialOf([5e-324, 2 ** -1022]);
  assert.deepEqual([layout.scale, layout.positiveCount, row.buckets[1], row.min], [20, 1, 2, 5e-324]);
});

test('ExponentialDistribution has each number within the bounds of its bucket, and no room for a finer scale', () => {
  const number = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((one) => Math.abs(one) >= 2 ** -1022),
    fc.double({ noNaN: true, min: 0.5, max: 2000 }),
    fc.integer({ min: -1022, max: 1023 }).map((power) => 2 ** power),
  );
  holdsFor(fc.array(number, { minLength: 1, maxLength: 80 }), (numbers) => {
    const { row, layout } = exponentialOf(numbers);
    const { scale, positiveOffset, positiveCount, negativeCount } = layout;
    assert.ok(positiveCount <= 160 && negativeCount <= 160);
    const positive = numbers.filter((one) => one > 0);
    for (let i = 0; i < positiveCount; i += 1) {
      const [below, above] = [0, 1].map((more) => upperBound(scale, positiveOffset + i + more - 1));
      const within = positive.filter((one) => one > (below ?? NaN) && one <= (above ?? NaN));
      assert.equal(row.buckets[1 + i], within.length, `above ${below}, up to ${above}`);
    }
    const spans = [positive, numbers.flatMap((one) => (one < 0 ? -one : []))].map(
      (side) => Math.log2(Math.max(...side)) - Math.log2(Math.min(...side)),
    );
    // At one scale finer, one of the signs would take more than 160 buckets, or nearly.
    if (scale < 20) assert.ok(spans.some((span) => span * 2 ** (scale + 1) > 158));
  });
});

/** Without the empty buckets at the end. */
function trim(counts: readonly number[]): readonly number[] {
  return counts.slice(0, counts.findLastIndex((one) => one > 0) + 1);
}

/** What the official SDK makes of some numbers. */
async function aggregateBySdk(numbers: readonly number[]) {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const aggregation = { type: AggregationType.EXPONENTIAL_HISTOGRAM } as const;
  const provider = new MeterProvider({ readers: [reader], views: [{ instrumentName: '*', aggregation }] });
  const histogram = provider.getMeter('test').createHistogram('test');
  for (const number of numbers) histogram.record(number);
  await reader.forceFlush();
  const metric = exporter.getMetrics()[0]?.scopeMetrics[0]?.metrics[0];
  await provider.shutdown();
  assert.equal(metric?.dataPointType, DataPointType.EXPONENTIAL_HISTOGRAM);
  return metric.dataPoints[0]?.value;
}

test('ExponentialDistribution gives what the SDK of OpenTelemetry gives', async () => {
  const number = fc.oneof(fc.constant(0), fc.double({ noNaN: true, min: 1e-3, max: 1e6 }));
  await holdsForAsync(fc.array(number, { minLength: 1, maxLength: 60 }), async (numbers) => {
    const { row, layout } = exponentialOf(numbers);
    const theirs = await aggregateBySdk(numbers);
    const { count, sum, min, max } = row;
    assert.deepEqual(
      { count, sum, min, max, zeroCount: row.buckets[0], counts: Array.from(row.buckets.subarray(1)) },
      {
        count: theirs?.count,
        sum: theirs?.sum,
        min: theirs?.min,
        max: theirs?.max,
        zeroCount: theirs?.zeroCount,
        counts: trim(theirs?.positive.bucketCounts ?? []),
      },
    );
    if (numbers.some((one) => one > 0)) {
      assert.deepEqual([layout.scale, layout.positiveOffset], [theirs?.scale, theirs?.positive.offset]);
    }
  });
});

/** How many positive numbers of a row of exponential buckets are at most 2^power. */
function countUpTo({ layout, buckets }: HistogramRow, power: number): number {
  if (layout.kind === 'histogram') return NaN;
  const { scale, positiveOffset, positiveCount } = layout;
  const counts = buckets.subarray(1, 1 + positiveCount);
  const isBelow = (_: number, i: number) =>
    upperBound(scale, positiveOffset + i) <= 2 ** power * (1 + Number.EPSILON);
  return counts.filter(isBelow).reduce((sum, count) => sum + count, 0);
}

test('Distribution.addTo adds the counts of several periods', () => {
  const random = createRandom(3);
  const layout = { kind: 'histogram', bounds: Float64Array.of(0, 10, 20) } as const;
  for (let run = 0; run < 300; run++) {
    const [explicit, exponential] = [new ExplicitDistribution(layout), new ExponentialDistribution()];
    const [one, other] = [new HistogramRow(), new HistogramRow()];
    const powers = random.pick([1, 4, 60]);
    const all: number[] = [];
    for (let period = 0; period < 5; period++) {
      const numbers = Array.from({ length: random.whole(12) }, () => {
        return random.pick([0, 1, 1, -1]) * 2 ** (powers * (random.fraction() - 0.5));
      });
      all.push(...numbers);
      for (const [distribution, total] of [[explicit, one] as const, [exponential, other] as const]) {
        distribution.clear();
        for (const number of numbers) distribution.add(Float64Array.of(number), 0);
        distribution.addTo(total);
        assert.equal(findHistogramProblem(total), undefined);
      }
    }
    const whole = rowOf(new ExplicitDistribution(layout), all);
    assert.deepEqual([...one.buckets], [...whole.buckets]);
    for (const total of [one, other]) {
      assert.deepEqual([total.count, total.min, total.max], [whole.count, whole.min, whole.max]);
      assert.ok(Math.abs(total.sum - whole.sum) <= 1e-9 * Math.max(1, Math.abs(whole.sum)));
    }
    for (const power of [-20, -1, 0, 1, 20]) {
      const upTo = all.filter((number) => number > 0 && number <= 2 ** power);
      assert.equal(countUpTo(other, power), upTo.length);
    }
    assert.equal(other.buckets[0], all.filter((number) => number === 0).length);
  }
});

test('ExponentialDistribution.addTo keeps layout and buckets of a total that has a place for every number', () => {
  const [period, total] = [new ExponentialDistribution(), new HistogramRow()];
  for (const number of [1, 2, 1000, -1, -50]) period.add(Float64Array.of(number), 0);
  period.addTo(total);
  const { layout, buckets } = total;
  period.clear();
  for (const number of [3, 700, 0, -7]) period.add(Float64Array.of(number), 0);
  period.addTo(total);
  assert.equal(total.layout, layout);
  assert.equal(total.buckets, buckets);
  assert.equal(total.count, 9);
});
