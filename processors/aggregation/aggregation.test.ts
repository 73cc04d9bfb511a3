import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { checkTables } from '../../src/model/check-tables.js';
import { createRow } from '../../src/model/table.js';
import { counter, createAggregation, epoch, gauge, instantOf, seriesOf } from './aggregation.fixture.js';
import { factory } from './factory.js';

const power = gauge('power');
const energy = counter('energy');

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

test('aggregation divides the growth of a counter at the end of a window', () => {
  const { feed, rows, processor, out } = createAggregation({
    aggregations: [{ metrics: ['energy'], functions: ['last', 'sum', 'mean', 'min', 'max'] }],
  });
  const series = [seriesOf(energy)];
  for (const [atS, joules] of [
    [0, 0],
    [8, 80],
    [12, 120],
    [16, 200],
    [24, 240],
  ] as const)
    feed(atS, series, [joules]);
  assert.deepEqual(rows('energy.sum'), [
    [10, 100],
    [20, 120],
  ]);
  assert.deepEqual(rows('energy'), [
    [0, 0],
    [10, 100],
    [20, 220],
  ]);
  assert.deepEqual(rows('energy.rate.mean'), [
    [10, 10],
    [20, 12],
  ]);
  void processor.shutdown();
  assert.deepEqual(rows('energy.rate.max'), [
    [10, 10],
    [20, 20],
    [24, 5],
  ]);
  assert.deepEqual(rows('energy.rate.min'), [
    [10, 10],
    [20, 10],
    [24, 5],
  ]);
  assert.deepEqual(rows('energy').at(-1), [24, 240]);
  checkTables(out.tables);
});

test('aggregation gives whole numbers for counters of whole numbers', () => {
  const { feed, rows, processor } = createAggregation({
    aggregations: [{ metrics: ['requests'], functions: ['sum', 'last'] }],
  });
  const series = [seriesOf(counter('requests', 'int'))];
  feed(1, series, [0]);
  feed(14, series, [7]);
  feed(27, series, [8]);
  void processor.shutdown();
  assert.deepEqual(rows('requests.sum'), [
    [10, 5],
    [20, 2],
    [27, 1],
  ]);
  assert.deepEqual(rows('requests').at(-1), [27, 8]);
});

test('aggregation counts a counter that was there before from its first reading, and a later one from its start', () => {
  const { feed, rows, processor } = createAggregation({
    aggregations: [{ metrics: ['energy'], functions: ['sum', 'last'], group_by: ['id'] }],
  });
  const old = seriesOf(energy, { id: 'old' }, -1e9);
  const young = seriesOf(energy, { id: 'young' }, 9);
  feed(5, [old], [1000]);
  feed(8, [old], [1003]);
  feed(11, [old, young], [1006, 20]);
  void processor.shutdown();
  assert.deepEqual(rows('energy.sum', { id: 'old' }), [
    [10, 5],
    [11, 1],
  ]);
  assert.deepEqual(rows('energy', { id: 'old' }), [
    [10, 1005],
    [11, 1006],
  ]);
  assert.deepEqual(rows('energy.sum', { id: 'young' }), [
    [10, 10],
    [11, 10],
  ]);
});

test('aggregation counts what a counter grew in a gap for the window of the next reading', () => {
  const { feed, rows, processor } = createAggregation({
    aggregations: [{ metrics: ['energy', 'power'], functions: ['sum', 'mean', 'max', 'last'] }],
  });
  const series = [seriesOf(energy), seriesOf(power)];
  feed(0, series, [0, 1]);
  feed(6, series, [60, 3]);
  feed(9, series, [NaN, NaN]);
  feed(15, series, [NaN, NaN]);
  feed(31, series, [310, 5]);
  feed(35, series, [350, 5]);
  void processor.shutdown();
  assert.deepEqual(rows('energy.sum'), [
    [10, 60],
    [35, 290],
  ]);
  assert.deepEqual(rows('energy.rate.mean'), [
    [10, 10],
    [35, 10],
  ]);
  assert.deepEqual(rows('energy.rate.max'), [
    [10, 10],
    [35, 10],
  ]);
  assert.deepEqual(rows('power.mean'), [
    [0, 1],
    [10, 3],
    [35, 5],
  ]);
});

test('aggregation continues a counter that was reset', () => {
  const { feed, end, rows, processor, out } = createAggregation({
    aggregations: [{ metrics: ['energy'], functions: ['sum', 'last', 'max'] }],
  });
  const [first, second] = [seriesOf(energy), seriesOf(energy, {}, 5)];
  feed(0, [first], [0]);
  feed(4, [first], [40]);
  end(5, [first]);
  feed(6, [second], [10]);
  feed(12, [second], [70]);
  void processor.shutdown();
  assert.deepEqual(rows('energy.sum'), [
    [10, 90],
    [12, 20],
  ]);
  assert.deepEqual(rows('energy'), [
    [0, 0],
    [10, 90],
    [12, 110],
  ]);
  checkTables(out.tables);
  assert.equal(out.tables.flatMap((table) => table.ended ?? []).length, 3);
});

test('aggregation ends the series of what has ended, with its last window', () => {
  const { feed, end, rows, out } = createAggregation({
    aggregations: [{ metrics: ['energy'], functions: ['sum'] }],
  });
  const [first, second] = [seriesOf(energy, { id: 1 }), seriesOf(energy, { id: 2 })];
  feed(1, [first, second], [1, 1]);
  feed(2, [first, second], [3, 4]);
  end(3, [first]);
  feed(9, [second], [5]);
  assert.equal(out.tables.length, 0);
  feed(12, [second], [5]);
  assert.deepEqual(rows('energy.sum', { id: 1 }), [[10, 2]]);
  feed(13, [second], [5]);
  const ended = out.tables.flatMap((table) => table.ended ?? []);
  assert.deepEqual(
    ended.map(({ metric, attributes }) => [metric.name, attributes]),
    [['energy.sum', { id: 1 }]],
  );
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

test('aggregation waits for slower series, at most as long as max_lag', () => {
  const { feed, rows, log } = createAggregation({
    max_lag: '3s',
    aggregations: [{ metrics: ['power', 'slow'], functions: ['sum'] }],
  });
  const [fast, slow] = [[seriesOf(power)], [seriesOf(gauge('slow'))]];
  feed(9, fast, [1]);
  feed(8, slow, [1]);
  feed(11, fast, [1]);
  assert.deepEqual(rows('power.sum'), []);
  feed(11.5, slow, [1]);
  assert.deepEqual(rows('slow.sum'), [[10, 1]]);
  feed(22.9, fast, [1]);
  assert.deepEqual(rows('power.sum').length, 1);
  feed(23, fast, [1]);
  assert.deepEqual(rows('power.sum').at(-1), [20, 1]);
  assert.deepEqual(rows('slow.sum').at(-1), [20, 1]);
  assert.deepEqual(log.lines, []);
  feed(19, slow, [1]);
  feed(19.5, slow, [1]);
  assert.equal(log.lines.length, 1);
});

test('aggregation counts the growth of a counter whose reading is late for the next window', () => {
  const { feed, rows, processor } = createAggregation({
    max_lag: '1s',
    aggregations: [{ metrics: ['power', 'energy'], functions: ['sum'] }],
  });
  const [fast, slow] = [[seriesOf(power)], [seriesOf(energy)]];
  feed(0, slow, [0]);
  for (const atS of [1, 12, 25]) feed(atS, fast, [1]);
  feed(18, slow, [18]);
  feed(26, slow, [26]);
  void processor.shutdown();
  assert.deepEqual(rows('energy.sum'), [[26, 26]]);
});

test('aggregation ignores rows that come again', () => {
  const { feed, rows, processor } = createAggregation({
    aggregations: [{ metrics: ['power'], functions: ['sum'] }],
  });
  const series = [seriesOf(power)];
  for (const atS of [1, 2, 2, 1]) feed(atS, series, [atS]);
  void processor.shutdown();
  assert.deepEqual(rows('power.sum'), [[2, 3]]);
});

test('aggregation forwards its windows and begins again when the clock was set back', () => {
  const { feed, end, rows, processor } = createAggregation({
    aggregations: [{ metrics: ['power', 'energy'], functions: ['sum'] }],
  });
  const series = [seriesOf(power), seriesOf(energy)];
  feed(3601, series, [1, 10]);
  feed(3611, series, [1, 20]);
  feed(3612, series, [2, 22]);
  end(1, series);
  const later = [seriesOf(power, {}, 1), seriesOf(energy, {}, 1)];
  feed(2, later, [1, 1]);
  feed(3, later, [1, 4]);
  void processor.shutdown();
  assert.deepEqual(rows('power.sum'), [
    [3610, 1],
    [3612, 3],
    [3, 2],
  ]);
  assert.deepEqual(rows('energy.sum').at(-1), [3, 3]);
});

test('aggregation has no rows for windows without a reading, however many', () => {
  const { feed, rows, processor } = createAggregation({
    interval: '1ms',
    aggregations: [{ metrics: ['power', 'energy'], functions: ['sum'] }],
  });
  const series = [seriesOf(power), seriesOf(energy)];
  feed(0.0005, series, [1, 0]);
  feed(86_400, series, [1, 86_400]);
  void processor.shutdown();
  assert.equal(rows('power.sum').length, 2);
  const growth = rows('energy.sum').map(([, joules]) => joules);
  assert.ok(growth.length <= 1003, `${growth.length} rows`);
  assert.ok(Math.abs(growth.reduce((sum, one) => sum + one, 0) - 86_400) < 1e-6);
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
      'aggregations[1].functions: expected last, sum, mean, min, max or a quantile from p0 to p100, found "average"',
      'aggregations[1].functions: expected last, sum, mean, min, max or a quantile from p0 to p100, found "p101"',
      'aggregations: expected each metric once, found "a" twice; use a second processor for it',
      'keep_original: expected false with the function "last", which keeps the names of metrics, found true',
    ],
  );
});
