import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { checkTables } from '../../src/model/check-tables.js';
import { createRow } from '../../src/model/table.js';
import {
  createAggregation,
  energy,
  epoch,
  gauge,
  instantOf,
  power,
  seriesOf,
} from './aggregation.fixture.js';
import { factory } from './factory.js';

test('aggregation computes every function of the readings of a window, its end included', () => {
  const functions = ['last', 'sum', 'mean', 'min', 'max', 'p50', 'p25'];
  const { feed, rows, processor, out } = createAggregation({
    aggregations: [{ metrics: ['power'], functions }],
  });
  const series = [seriesOf(power)];
  for (const [atS, watts] of [
    [1, 4],
    [3, 1],
    [4, 7],
    [10, 2],
    [11, 100],
  ] as const)
    feed(atS, series, [watts]);
  assert.deepEqual(
    ['power', 'power.sum', 'power.mean', 'power.min', 'power.max', 'power.p50', 'power.p25'].map((name) =>
      rows(name),
    ),
    [[[10, 2]], [[10, 14]], [[10, 3.5]], [[10, 1]], [[10, 7]], [[10, 3]], [[10, 1.75]]],
  );
  void processor.shutdown();
  assert.deepEqual(rows('power.max'), [
    [10, 7],
    [11, 100],
  ]);
  checkTables(out.tables);
});

test('aggregation over several series sums counters, and takes the readings of gauges together', () => {
  const { feed, end, rows, processor, out } = createAggregation({
    aggregations: [
      { metrics: ['energy'], functions: ['last', 'sum', 'mean', 'max'], group_by: ['kind'] },
      { metrics: ['power'], functions: ['mean', 'max', 'p50', 'sum'], group_by: [] },
    ],
  });
  const counters = [0, 1].map((id) => seriesOf(energy, { kind: 'a', id }));
  const gauges = [0, 1].map((id) => seriesOf(power, { kind: 'a', id }));
  feed(0, [...counters, ...gauges], [0, 0, 5, 6]);
  feed(4, [...counters, ...gauges], [40, 4, 1, 2]);
  end(4.5, [counters[0]]);
  feed(10, [counters[1], ...gauges], [10, 3, 9]);
  feed(11, [counters[1], ...gauges], [11, 0, 0]);
  assert.deepEqual(rows('energy.sum'), [[10, 50]]);
  assert.deepEqual(rows('energy'), [
    [0, 0],
    [10, 50],
  ]);
  assert.deepEqual(rows('energy.rate.mean'), [[10, 5]]);
  assert.deepEqual(rows('energy.rate.max'), [[10, 10]]);
  assert.deepEqual(rows('power.mean').at(-1), [10, 3.75]);
  assert.deepEqual(rows('power.p50').at(-1), [10, 2.5]);
  void processor.shutdown();
  assert.deepEqual(rows('energy').at(-1), [11, 51]);
  const [sums] = out.tables.flatMap(({ series }) => series.filter(({ metric }) => metric.name === 'energy'));
  assert.deepEqual(sums.attributes, { kind: 'a' });
  checkTables(out.tables);
});

test('aggregation forwards other series as they are, and the originals where they are kept', () => {
  const series = [seriesOf(power), seriesOf(gauge('other'))];
  const table = createRow(series, instantOf(1), Float64Array.of(1, 2));
  const aggregations = [{ metrics: ['power'], functions: ['sum'] }];
  const one = createAggregation({ aggregations });
  one.processor.consume(table);
  assert.deepEqual(
    one.out.tables.map(({ series: columns }) => columns),
    [[series[1]]],
  );
  const two = createAggregation({ aggregations, keep_original: true });
  two.processor.consume(table);
  assert.deepEqual(two.out.tables, [table]);
  const none = createAggregation({});
  none.processor.consume(table);
  assert.equal(none.out.tables[0], table);
});

test('aggregation has no quantile of more readings than it may keep', () => {
  const { processor, rows } = createAggregation({
    max_readings: 20,
    aggregations: [{ metrics: ['power'], functions: ['p50', 'max'] }],
  });
  const values = Float64Array.from({ length: 42 }, (_, i) => i);
  // 20 readings in the first window, 21 in the second.
  const offsets = values.map((i) => (i < 20 ? (i + 1) * 0.5e9 : 10e9 + (i - 19) * 0.47e9));
  processor.consume({ series: [seriesOf(power)], epoch, offsets, values });
  void processor.shutdown();
  assert.deepEqual(rows('power.p50'), [
    [10, 9.5],
    [20.34, 41],
  ]);
  assert.deepEqual(rows('power.max').length, 3);
});

function check(settings: object): readonly string[] {
  return factory.check?.(parseSettings(factory.schema, settings)) ?? [];
}

test('aggregation refuses unknown functions, metrics named twice and originals beside their last value', () => {
  assert.deepEqual(check({ aggregations: [{ metrics: ['a'], functions: ['p99.9', 'last'] }] }), []);
  assert.deepEqual(
    check({
      keep_original: true,
      aggregations: [
        { metrics: [], functions: [] },
        { metrics: ['a'], functions: ['last', 'last', 'average', 'p101'] },
        { metrics: ['a', 'b'], functions: ['sum'] },
      ],
    }),
    [
      'aggregations[0].metrics: expected at least one, found none',
      'aggregations[0].functions: expected at least one, found none',
      'aggregations[1].functions: expected each once, found "last" twice',
      'aggregations[1].functions: expected last, sum, mean, min, max, histogram, exponential_histogram or a quantile from p0 to p100, found "average"',
      'aggregations[1].functions: expected last, sum, mean, min, max, histogram, exponential_histogram or a quantile from p0 to p100, found "p101"',
      'aggregations: expected each metric once, found "a" twice; use a second processor for it',
      'keep_original: expected false with the function "last", which keeps the names of metrics, found true',
    ],
  );
});

test('aggregation computes the extremes of a series that comes within a window', () => {
  const { feed, rows, processor } = createAggregation({
    aggregations: [{ metrics: ['power'], functions: ['min', 'max'] }],
  });
  const series = ['a', 'b', 'c'].map((id) => seriesOf(power, { id }));
  feed(1, series.slice(0, 1), [5]);
  feed(2, series, [5, 7, -7]);
  void processor.shutdown();
  assert.deepEqual(rows('power.min', { id: 'b' }), [[2, 7]]);
  assert.deepEqual(rows('power.max', { id: 'c' }), [[2, -7]]);
});

test('aggregation refuses a table whose other series are refused', () => {
  const config = parseSettings(factory.schema, {
    aggregations: [{ metrics: ['power'], functions: ['sum'] }],
  });
  const processor = factory.create(config, createFakeContext(), { consume: () => false });
  const consume = (name: string) =>
    processor.consume(createRow([seriesOf(gauge(name))], instantOf(1), Float64Array.of(1)));
  assert.deepEqual(['power', 'other'].map(consume), [true, false]);
});
