import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { createEnding, createRow } from '../../src/model/table.js';
import { schema } from './config.js';
import { factory } from './factory.js';
import { create, createMeter, epoch, play, unixNs } from './power.fixture.js';

test('power is the growth of energy over the time between two readings', () => {
  const power = play({}, [
    [0, 0],
    [1, 10],
    [2.5, 40],
    [3.5, 41],
  ]);
  assert.deepEqual(power.rows(), [
    [1, 10],
    [2.5, 20],
    [3.5, 1],
  ]);
});

test('power keeps resource and attributes and derives its name from the energy', () => {
  const power = play({}, [
    [0, 0],
    [1, 10],
    [2, 20],
  ]);
  const { series } = power.out.tables[3];
  assert.equal(series[0].metric.name, 'hw.power');
  assert.equal(series[0].metric.unit, 'W');
  assert.equal(series[0].metric.kind, 'gauge');
  assert.deepEqual(series[0].attributes, { 'hw.type': 'cpu', 'hw.id': 'package-0' });
});

test('power uses every reading if they are about as far apart as windows, early or late', () => {
  const power = play({}, [
    [0, 0],
    [0.999, 10],
    [2.001, 20],
    [3, 30],
  ]);
  assert.deepEqual(
    power.rows().map(([atS]) => atS),
    [0.999, 2.001, 3],
  );
});

test('power ends windows at multiples of their length', () => {
  const power = play({}, [
    [0.3, 0],
    [0.7, 4],
    [1.1, 8],
    [1.5, 12],
    [1.9, 16],
    [2.2999, 20],
    [2.7, 24],
    [2.9999, 27],
  ]);
  assert.deepEqual(
    power.rows().map(([atS]) => atS),
    [1.1, 1.9, 2.9999],
  );
});

test('power has one row per window for tables of many rows', () => {
  const power = create({ window: '100ms' });
  const series = [createMeter()];
  const offsets = Float64Array.from({ length: 10_001 }, (_, i) => i * 1e5);
  const values = Float64Array.from(offsets, (offset) => 25e-9 * offset);
  power.consume({ series, epoch, offsets, values });
  const rows = power.rows();
  assert.equal(rows.length, 10);
  assert.ok(rows.every(([, watts]) => Math.abs(watts - 25) < 1e-9));
  assert.equal(power.out.tables.length, 2);
});

test('power spans failed readings', () => {
  const power = play({}, [
    [0, 0],
    [1, 10],
    [2, 20],
    [3, NaN],
    [4, 60],
  ]);
  assert.deepEqual(power.rows(), [
    [1, 10],
    [2, 10],
    [3, NaN],
    [4, 20],
  ]);
});

test('power counts a new counter from its start', () => {
  const power = create();
  const next = [createMeter(1.5, 'package-1')];
  for (const [atS, joules] of [
    [2, 3],
    [2.5, 8],
    [3, 13],
  ]) {
    power.consume(createRow(next, unixNs(atS), Float64Array.of(joules)));
  }
  assert.deepEqual(power.rows(), [
    [2, 6],
    [3, 10],
  ]);
});

test('power counts a counter that is older than the collector from its first reading', () => {
  const power = play(
    {},
    [
      [0, 1e9],
      [1, 1e9 + 10],
      [2, 1e9 + 30],
    ],
    -3600,
  );
  assert.deepEqual(power.rows(), [
    [1, 10],
    [2, 20],
  ]);
});

test('power has no spike if a counter falls', () => {
  const power = play({}, [
    [0, 0],
    [1, 100],
    [2, 200],
    [3, 5],
    [4, 15],
    [5, 35],
  ]);
  assert.deepEqual(power.rows(), [
    [1, 100],
    [2, 100],
    [4, 10],
    [5, 20],
  ]);
});

test('power of all series of a table has the same instants', () => {
  const power = create();
  const old = createMeter();
  power.consume(createRow([old], unixNs(0), Float64Array.of(0)));
  power.consume(createRow([old], unixNs(0.6), Float64Array.of(6)));
  const both = [old, createMeter(0.6, 'package-1')];
  for (const [atS, first, second] of [
    [0.6, 6, 0],
    [0.8, 8, 1],
    [0.9, 9, 1.5],
    [1.0, 10, 2],
    [1.6, 16, 5],
    [2.0, 20, 7],
  ]) {
    power.consume(createRow(both, unixNs(atS), Float64Array.of(first, second)));
  }
  const tables = power.out.tables.filter(({ series }) => series.at(0)?.metric.name === 'hw.power');
  assert.deepEqual(
    tables.map(({ epoch: at, values }) => [at, ...values]),
    [
      [unixNs(1.0), 10, 5],
      [unixNs(2.0), 10, 5],
    ],
  );
  assert.equal(tables[0].series, tables[1].series);
});

test('power ends with its energy', () => {
  const power = create();
  const series = [createMeter()];
  power.consume(createRow(series, unixNs(0), Float64Array.of(0)));
  power.consume(createEnding(series, unixNs(1)));
  assert.deepEqual(
    power.out.tables.at(-1)?.ended?.map(({ metric }) => metric.name),
    ['hw.power'],
  );
});

test('power leaves other metrics unchanged', () => {
  const power = play({ metrics: ['process.energy'] }, [
    [0, 0],
    [1, 10],
  ]);
  assert.equal(power.out.tables.length, 2);
});

test('power rejects metrics that are not energy', () => {
  const problems = factory.check?.(parseSettings(schema, { metrics: ['hw.energy', 'system.cpu.time'] }));
  assert.deepEqual(problems, [
    'metrics: expected energy counters, whose names end in ".energy", found "system.cpu.time"',
  ]);
});
