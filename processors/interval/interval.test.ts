import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Metric, Series } from '../../src/model/series.js';
import { hwEnergy } from '../../src/model/shared-metrics.js';
import { createEnding, createRow, timeOf } from '../../src/model/table.js';
import { schema } from './config.js';
import { factory } from './factory.js';

const epoch = 1_800_000_000_000_000_000n;
const power: Metric = { name: 'hw.power', unit: 'W', description: '', kind: 'gauge', valueType: 'double' };

function createSeries(metric: Metric): Series {
  return { metric, resource: { attributes: {} }, attributes: {}, start: epoch };
}

function create(settings: object = {}) {
  const out = createTableCollector();
  const processor = factory.create(parseSettings(schema, settings), createFakeContext(), out);
  return {
    out,
    processor,
    feed: (atS: number, series: readonly Series[], values: readonly number[]) =>
      processor.consume(createRow(series, epoch + BigInt(Math.round(atS * 1e9)), Float64Array.from(values))),
    /** Seconds and values of every row with a metric. */
    rows: (metric: Metric) =>
      out.tables.flatMap((table) => {
        const column = table.series.findIndex((one) => one.metric === metric);
        return column < 0
          ? []
          : Array.from(table.offsets, (_, row) => [
              Number(timeOf(table, row) - epoch) / 1e9,
              table.values[row * table.series.length + column],
            ]);
      }),
  };
}

test('interval forwards the last row of each interval, and what waits at shutdown', () => {
  const series = [createSeries(hwEnergy)];
  const { feed, rows, processor } = create({ interval: '10s' });
  for (const [atS, joules] of [
    [1, 1],
    [9, 9],
    [10, 10],
    [11, 11],
    [35, 35],
    [36, 36],
  ] as const)
    feed(atS, series, [joules]);
  assert.deepEqual(rows(hwEnergy), [
    [10, 10],
    [11, 11],
  ]);
  void processor.shutdown();
  assert.deepEqual(rows(hwEnergy).at(-1), [36, 36]);
});

test('interval takes tables of many rows', () => {
  const series = [createSeries(hwEnergy), createSeries(power)];
  const { processor, rows, out } = create({ interval: '100ms' });
  const offsets = Float64Array.from({ length: 1000 }, (_, i) => i * 1e6);
  const values = Float64Array.from({ length: 2000 }, (_, i) => i);
  processor.consume({ series, epoch, offsets, values });
  void processor.shutdown();
  assert.deepEqual(
    rows(hwEnergy).map(([atS]) => atS),
    [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.999],
  );
  assert.deepEqual(rows(power).at(-1), [0.999, 1999]);
  assert.equal(out.tables.length, 2);
});

test('interval keeps the last reading that a series has, and forwards gauges where they pass through', () => {
  const series = [createSeries(hwEnergy), createSeries(power)];
  const one = create({ interval: '10s' });
  one.feed(1, series, [1, 100]);
  one.feed(2, series, [2, NaN]);
  one.feed(12, series, [NaN, 120]);
  void one.processor.shutdown();
  assert.deepEqual(one.rows(power), [
    [2, 100],
    [12, 120],
  ]);
  assert.deepEqual(one.rows(hwEnergy).at(-1), [12, NaN]);
  const passing = create({ interval: '10s', pass_through: { gauge: true } });
  for (const atS of [1, 2, 12]) passing.feed(atS, series, [atS, 100 + atS]);
  assert.deepEqual(passing.rows(power).length, 3);
  assert.deepEqual(passing.rows(hwEnergy), [[2, 2]]);
});

test('interval forwards the last row of a series before it ends', () => {
  const series = [createSeries(hwEnergy)];
  const { feed, rows, processor, out } = create();
  feed(1, series, [1]);
  processor.consume(createEnding(series, epoch + 2_000_000_000n));
  assert.deepEqual(rows(hwEnergy), [[1, 1]]);
  assert.deepEqual(out.tables.at(-1)?.ended, series);
});

test('interval leaves what was refused to the next row of a counter, and ignores rows that come again', () => {
  const series = [createSeries(hwEnergy)];
  const tables: number[] = [];
  let isRefusing = true;
  const processor = factory.create(parseSettings(schema, { interval: '10s' }), createFakeContext(), {
    consume({ values }) {
      if (!isRefusing) tables.push(...values);
      return !isRefusing;
    },
  });
  const feed = (atS: number) =>
    processor.consume(createRow(series, epoch + BigInt(atS * 1e9), Float64Array.of(atS)));
  assert.deepEqual([9, 11].map(feed), [true, false]);
  isRefusing = false;
  assert.deepEqual([11, 9, 15].map(feed), [true, true, true]);
  void processor.shutdown();
  assert.deepEqual(tables, [15]);
});

test('interval forwards up-down counters unchanged, unless its settings treat them as gauges', () => {
  const memory: Metric = { ...power, name: 'process.memory.usage', unit: 'By', kind: 'updowncounter' };
  for (const [passThrough, expected] of [
    [{}, [1, 2, 11]],
    [{ up_down_counter: false }, [2]],
  ] as const) {
    const { feed, rows } = create({ interval: '10s', pass_through: passThrough });
    const series = [createSeries(memory), createSeries(power)];
    for (const atS of [1, 2, 11]) feed(atS, series, [atS, atS]);
    assert.deepEqual(
      rows(memory).map(([atS]) => atS),
      expected,
    );
    assert.deepEqual(rows(power), [[2, 2]]);
  }
});
