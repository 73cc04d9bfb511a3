import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTables } from '../../src/model/check-tables.js';
import { counter, createAggregation, energy, power, seriesOf } from './aggregation.fixture.js';

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

test('aggregation ignores an older reading of a counter, which comes with other series', () => {
  const { feed, rows, processor } = createAggregation({
    aggregations: [{ metrics: ['energy'], functions: ['sum'] }],
  });
  const [one, other] = [seriesOf(energy, { id: 1 }), seriesOf(energy, { id: 2 })];
  feed(0, [one], [0]);
  feed(5, [one], [40]);
  feed(4, [one, other], [30, 0]);
  feed(6, [one], [50]);
  void processor.shutdown();
  assert.deepEqual(rows('energy.sum', { id: 1 }), [[6, 50]]);
});

test('aggregation has the growth of a gap in the mean rate, and in no rate between two readings', () => {
  const { feed, rows, processor } = createAggregation({
    aggregations: [{ metrics: ['energy'], functions: ['mean', 'max', 'p100'] }],
  });
  const series = [seriesOf(energy)];
  for (const [atS, joules] of [
    [0, 0],
    [1, 10],
    [2, NaN],
    [3, 100],
    [4, 110],
  ] as const)
    feed(atS, series, [joules]);
  void processor.shutdown();
  assert.deepEqual(rows('energy.rate.mean').at(-1), [4, 27.5]);
  assert.deepEqual(rows('energy.rate.max').at(-1), [4, 10]);
  assert.deepEqual(rows('energy.rate.p100').at(-1), [4, 10]);
});

test('aggregation keeps what small growth adds to a large total', () => {
  const { feed, end, rows, processor } = createAggregation({
    aggregations: [{ metrics: ['energy'], functions: ['last'] }],
  });
  let series = [seriesOf(energy)];
  feed(0, series, [0]);
  feed(5, series, [2 ** 53]);
  for (const atS of [12, 22]) {
    end(atS, series);
    series = [seriesOf(energy, {}, atS)];
    feed(atS + 1, series, [1]);
  }
  void processor.shutdown();
  assert.deepEqual(rows('energy').at(-1), [23, 2 ** 53 + 2]);
});

test('aggregation ends no series that it has not forwarded', () => {
  const { feed, end, out, processor } = createAggregation({
    aggregations: [{ metrics: ['energy'], functions: ['sum'] }],
  });
  const [read, unread] = [seriesOf(energy, { id: 1 }), seriesOf(energy, { id: 2 })];
  feed(1, [read, unread], [0, NaN]);
  feed(2, [read, unread], [3, NaN]);
  end(3, [read, unread]);
  void processor.shutdown();
  const ended = out.tables.flatMap((table) => table.ended ?? []);
  assert.deepEqual(
    ended.map(({ attributes }) => attributes['id']),
    [1],
  );
});
