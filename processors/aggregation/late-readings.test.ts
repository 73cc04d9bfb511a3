import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAggregation, energy, gauge, power, seriesOf } from './aggregation.fixture.js';

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

test('aggregation forwards its windows and restarts when the clock was set back', () => {
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
