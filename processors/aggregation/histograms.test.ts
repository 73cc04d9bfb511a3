import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { checkHistograms } from '../../src/model/check-histograms.js';
import { HistogramRow } from '../../src/model/histogram-table.js';
import { Batcher } from '../../src/otlp/batcher.js';
import { decodeHistograms } from '../../src/otlp/decode-request.fixture.js';
import { createRandom } from '../../src/testing/random.fixture.js';
import { createAggregation, energy, instantOf, power, seriesOf } from './aggregation.fixture.js';
import { factory } from './factory.js';

const explicit = { metrics: ['power'], functions: ['histogram'], bounds: [10, 20] };

/** Of each row: name, seconds of its start and its time, count, sum, extremes and buckets. */
function listHistograms({ out }: ReturnType<typeof createAggregation>) {
  checkHistograms(out.histograms);
  const row = new HistogramRow();
  return out.histograms.flatMap((table) =>
    table.series.map((series, i) => {
      const { count, sum, min, max, buckets } = row.read(table, i);
      const [startS, atS] = [series.start, table.epoch + BigInt(table.offsets[i])].map(
        (time) => Number(time - instantOf(0)) / 1e9,
      );
      return [series.metric.name, startS, atS, count, sum, min, max, [...buckets]];
    }),
  );
}

test('aggregation counts the readings of gauges in buckets, from its first window on', () => {
  const aggregation = createAggregation({ aggregations: [explicit] });
  const series = [seriesOf(power)];
  for (const [atS, watts] of [
    [11, 10],
    [15, 11],
    [20, 25],
    [25, NaN],
    [30, 20],
    [31, 1],
  ] as const)
    aggregation.feed(atS, series, [watts]);
  void aggregation.processor.shutdown();
  assert.deepEqual(listHistograms(aggregation), [
    ['power.histogram', 10, 20, 3, 46, 10, 25, [1, 1, 1]],
    ['power.histogram', 10, 30, 4, 66, 10, 25, [1, 2, 1]],
    ['power.histogram', 10, 31, 5, 67, 1, 25, [2, 2, 1]],
  ]);
  const ended = aggregation.out.histograms.flatMap((table) => table.ended ?? []);
  assert.deepEqual(
    ended.map(({ metric }) => metric.name),
    ['power.histogram'],
  );
  assert.deepEqual(aggregation.rows('power'), [], 'nothing else is asked for');
});

test('aggregation counts the rates of counters in buckets, without those over a gap', () => {
  const aggregation = createAggregation({
    aggregations: [{ ...explicit, metrics: ['energy'], functions: ['sum', 'histogram'] }],
  });
  const series = [seriesOf(energy)];
  for (const [atS, joules] of [
    [0, 0],
    [5, 50],
    [10, 150],
    [15, NaN],
    [20, 999],
    [21, 1099],
  ] as const)
    aggregation.feed(atS, series, [joules]);
  void aggregation.processor.shutdown();
  const rows = listHistograms(aggregation);
  assert.deepEqual(rows.at(-1), ['energy.rate.histogram', -10, 21, 3, 130, 10, 100, [1, 1, 1]]);
  const [table] = aggregation.out.histograms;
  assert.equal(table.series[0]?.metric.unit, 'W');
  assert.equal(aggregation.rows('energy.sum').length, 3);
});

test('aggregation counts the readings of a group together, whatever comes first', () => {
  const aggregation = createAggregation({ aggregations: [{ ...explicit, group_by: ['rack'] }] });
  const one = [seriesOf(power, { rack: 'a', node: 1 })];
  const other = [seriesOf(power, { rack: 'a', node: 2 })];
  aggregation.feed(11, other, [NaN]);
  aggregation.feed(12, one, [15]);
  aggregation.feed(21, one, [30]);
  // Of the window before, which waits for it.
  aggregation.feed(13, other, [5]);
  aggregation.feed(22, other, [30]);
  aggregation.feed(31, one, [1]);
  aggregation.feed(31, other, [1]);
  assert.deepEqual(listHistograms(aggregation), [
    ['power.histogram', 10, 20, 2, 20, 5, 15, [1, 1, 0]],
    ['power.histogram', 10, 30, 4, 80, 5, 30, [1, 1, 2]],
  ]);
});

test('aggregation gives exponential histograms that say over OTLP what was read', () => {
  const requests: Uint8Array[] = [];
  const batcher = new Batcher({ maxPoints: 8192, maxBytes: 2 ** 20 }, ({ bytes }) =>
    requests.push(Buffer.from(bytes)),
  );
  const functions = ['exponential_histogram', 'histogram'];
  const aggregation = createAggregation({ aggregations: [{ metrics: ['power'], functions }] });
  const random = createRandom(5).fraction;
  const readings = Array.from({ length: 2000 }, () => 50 * random() ** 3);
  const series = [seriesOf(power)];
  for (const [i, watts] of readings.entries()) aggregation.feed(0.01 * (i + 1), series, [watts]);
  void aggregation.processor.shutdown();
  listHistograms(aggregation);
  for (const table of aggregation.out.histograms) batcher.addHistograms(table);
  batcher.flush();
  const points = requests.flatMap(decodeHistograms).filter(({ flags }) => flags === 0);
  const [exponential] = points.filter(({ name }) => name === 'power.exponential_histogram').slice(-1);
  const explicitPoint = points.findLast(({ name }) => name === 'power.histogram');
  assert.equal(exponential?.unit, 'W');
  for (const point of [exponential, explicitPoint]) {
    assert.equal(point?.count, 2000n);
    assert.ok(Math.abs((point?.sum ?? NaN) - readings.reduce((sum, one) => sum + one, 0)) < 1e-6);
    assert.deepEqual([point?.min, point?.max], [Math.min(...readings), Math.max(...readings)]);
  }
  const { scale = NaN, positive } = (exponential?.buckets ?? {}) as {
    scale?: number;
    positive?: { offset: number; counts: readonly number[] };
  };

  assert.ok((positive?.counts.length ?? 0) > 100 && (positive?.counts.length ?? 0) <= 160);
  for (const [i, count] of positive?.counts.entries() ?? []) {
    const [below, above] = [0, 1].map((more) => 2 ** (((positive?.offset ?? 0) + i + more) / 2 ** scale));
    const within = readings.filter((one) => one > (below ?? NaN) && one <= (above ?? NaN)).length;
    assert.equal(count, within, `above ${below} W, up to ${above} W`);
  }
  const { explicitBounds } = (explicitPoint?.buckets ?? {}) as { explicitBounds?: readonly number[] };
  assert.deepEqual(explicitBounds?.slice(0, 4), [0, 5, 10, 25], 'those of the SDKs');
});

test('aggregation ends the histograms of a series, and begins others for one that follows it', () => {
  const aggregation = createAggregation({ aggregations: [explicit] });
  const [one, next] = [seriesOf(power, { id: 1 }), seriesOf(power, { id: 1 }, 30)];
  aggregation.feed(5, [one], [15]);
  aggregation.end(6, [one]);
  const other = [seriesOf(power, { id: 2 })];
  for (const atS of [12, 21]) aggregation.feed(atS, other, [1]);
  aggregation.feed(35, [next], [25]);
  void aggregation.processor.shutdown();
  assert.deepEqual(
    listHistograms(aggregation)
      .filter(([, , , , , least]) => least !== 1)
      .map(([, startS, atS, count]) => [startS, atS, count]),
    [
      [0, 10, 1],
      [30, 35, 1],
    ],
  );
});

function check(changes: object) {
  const settings = { aggregations: [{ ...explicit, ...changes }] };
  return factory.check?.(parseSettings(factory.schema, settings));
}

test('check refuses bounds that do not ascend, and bounds without a histogram', () => {
  assert.deepEqual(check({}), []);
  assert.deepEqual(check({ bounds: [2, 1] }), [
    'aggregations[0].bounds: expected numbers that ascend, found [2,1]',
  ]);
  assert.deepEqual(check({ functions: ['exponential_histogram'] }), [
    'aggregations[0].functions: expected histogram because bounds is set, found none',
  ]);
});
