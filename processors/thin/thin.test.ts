import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Metric, Series } from '../../src/model/series.js';
import { hwEnergy } from '../../src/model/shared-metrics.js';
import { createEnding, createRow, timeOf, type Table } from '../../src/model/table.js';
import { fc } from '../../src/testing/fixed-seed.fixture.js';
import { holdsFor } from '../../src/testing/property.fixture.js';
import { schema } from './config.js';
import { factory } from './factory.js';

const epoch = 1_800_000_000_000_000_000n;
const power: Metric = { name: 'hw.power', unit: 'W', description: '', kind: 'gauge', valueType: 'double' };

function createCounter(id: string, metric = hwEnergy): Series {
  return { metric, resource: { attributes: {} }, attributes: { 'hw.id': id }, start: epoch };
}

function create(settings: object = {}) {
  const out = createTableCollector();
  return { out, processor: factory.create(parseSettings(schema, settings), createFakeContext(), out) };
}

/** Tables of several rows each, a millisecond apart. */
function createTables(
  series: readonly Series[],
  rows: readonly (readonly number[])[],
  perTable: number,
): Table[] {
  const tables: Table[] = [];
  for (let from = 0; from < rows.length; from += perTable) {
    const part = rows.slice(from, from + perTable);
    tables.push({
      series,
      epoch: epoch + BigInt(from) * 1_000_000n,
      offsets: Float64Array.from(part, (_, row) => row * 1e6),
      values: Float64Array.from(part.flat()),
    });
  }
  return tables;
}

/** Time in milliseconds and value of each point of a series. */
function pointsOf(tables: readonly Table[], series: Series): readonly (readonly [number, number])[] {
  return tables.flatMap((table) => {
    const column = table.series.indexOf(series);
    if (column < 0) return [];
    return Array.from(table.offsets, (_, row): [number, number] => [
      Number(timeOf(table, row) - epoch) / 1e6,
      table.values[row * table.series.length + column] ?? NaN,
    ]);
  });
}

/** The line through some points at a time; NaN next to a gap. */
function interpolate(points: readonly (readonly [number, number])[], at: number): number {
  const next = points.findIndex(([time]) => time >= at);
  const [time, value] = points[next] ?? [NaN, NaN];
  if (time === at) return value;
  const [before, from] = points[next - 1] ?? [NaN, NaN];
  return from + ((value - from) * (at - before)) / (time - before);
}

test('thin keeps every curve within the error of all its readings, and forwards readings unchanged', () => {
  const watts = fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 60 })), {
    minLength: 1,
    maxLength: 20,
  });
  const gaps = fc.array(fc.nat(400), { maxLength: 4 });
  holdsFor(
    fc.tuple(watts, watts, gaps, fc.integer({ min: 1, max: 90 }), fc.constantFrom(0, 0.05, 0.2)),
    ([one, other, missing, perTable, error]) => {
      const series = [createCounter('a'), createCounter('b')];
      const curves = [integrate(one), integrate(other)] as const;
      const length = Math.min(curves[0].length, curves[1].length);
      const rows = Array.from({ length }, (_, row) => [
        missing.includes(row) ? NaN : (curves[0][row] ?? NaN),
        curves[1][row] ?? NaN,
      ]);
      const { out, processor } = create({ error, heartbeat: '100ms' });
      for (const table of createTables(series, rows, perTable)) processor.consume(table);
      void processor.shutdown();
      for (const [column, counter] of series.entries()) {
        const points = pointsOf(out.tables, counter);
        for (const [time, value] of points)
          assert.ok(Object.is(value, rows[time]?.[column]), 'a reading as it came');
        assert.ok(points.every(([time], i) => i === 0 || time > (points[i - 1]?.[0] ?? NaN)));
        assert.equal(points.at(-1)?.[0], length - 1, 'the last reading');
        for (const [row, values] of rows.entries()) {
          const value = values[column] ?? NaN;
          const drawn = interpolate(points, row);
          if (Number.isNaN(value)) assert.ok(Number.isNaN(drawn), `no line over the gap at ${row}`);
          else assert.ok(Math.abs(drawn - value) <= error + 1e-9, `${drawn} for ${value} at ${row}`);
        }
      }
    },
  );
});

test('thin keeps two points of a constant load, and a heartbeat', () => {
  const series = [createCounter('a')];
  const rows = Array.from({ length: 120_001 }, (_, i) => [0.05 * i]);
  const { out, processor } = create();
  for (const table of createTables(series, rows, 1000)) processor.consume(table);
  void processor.shutdown();
  const times = pointsOf(out.tables, series[0]).map(([time]) => time);
  assert.deepEqual(
    times,
    Array.from({ length: 13 }, (_, i) => i * 10_000),
  );
});

test('thin keeps a point where the power changes', () => {
  const series = [createCounter('a')];
  const rows = Array.from({ length: 5000 }, (_, i) => [i < 2000 ? 0.02 * i : 40 + 0.2 * (i - 2000)]);
  const { out, processor } = create({ error: 0.1 });
  for (const table of createTables(series, rows, 700)) processor.consume(table);
  void processor.shutdown();
  const points = pointsOf(out.tables, series[0]);
  assert.ok(points.length <= 4, `${points.length} points`);
  assert.ok(points.some(([time]) => Math.abs(time - 2000) <= 1));
});

test('thin forwards other metrics, and the last reading before a series ends', () => {
  const [counter, gauge] = [createCounter('a'), createCounter('a', power)];
  const { out, processor } = create();
  const series = [counter, gauge];
  for (const [i, joules] of [0, 1, 2].entries()) {
    processor.consume(createRow(series, epoch + BigInt(i) * 1_000_000n, Float64Array.of(joules, 100 + i)));
  }
  assert.deepEqual(pointsOf(out.tables, gauge), [
    [0, 100],
    [1, 101],
    [2, 102],
  ]);
  assert.deepEqual(pointsOf(out.tables, counter), [[0, 0]]);
  processor.consume(createEnding([counter], epoch + 3_000_000n));
  assert.deepEqual(pointsOf(out.tables, counter), [
    [0, 0],
    [2, 2],
  ]);
  assert.deepEqual(out.tables.at(-1)?.ended, [counter]);
});

test('thin ends a counter that was reset before its successor starts', () => {
  const [old, fresh] = [createCounter('a'), createCounter('a')];
  const { out, processor } = create();
  for (const i of [0, 1])
    processor.consume(createRow([old], epoch + BigInt(i) * 1_000_000n, Float64Array.of(i)));
  processor.consume({ ...createRow([fresh], epoch + 2_000_000n, Float64Array.of(0)), ended: [old] });
  const order = out.tables.map(({ series, ended }) =>
    ended ? 'ended' : series.map((one) => (one === old ? 'old' : 'fresh')).join(),
  );
  assert.deepEqual(order, ['old', 'old', 'ended', 'fresh']);
});

test('thin forwards the pending row when another counter joins the table', () => {
  const [one, other] = [createCounter('a'), createCounter('b')];
  const { out, processor } = create();
  for (const i of [0, 1])
    processor.consume(createRow([one], epoch + BigInt(i) * 1_000_000n, Float64Array.of(i)));
  processor.consume(createRow([one, other], epoch + 2_000_000n, Float64Array.of(2, 0)));
  assert.deepEqual(
    pointsOf(out.tables, one).map(([time]) => time),
    [0, 1, 2],
  );
});

/** Joules at each millisecond of a machine with a sequence of powers in watts, each for a number of milliseconds. */
function integrate(loads: readonly (readonly [number, number])[]): readonly number[] {
  let joules = 0;
  return loads.flatMap(([watts, ms]) => Array.from({ length: ms }, () => (joules += watts / 1000)));
}
