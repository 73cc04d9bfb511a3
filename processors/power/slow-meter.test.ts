import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Attributes, Series } from '../../src/model/series.js';
import { hwEnergy } from '../../src/model/shared-metrics.js';
import { createRow, type Table } from '../../src/model/table.js';
import { EnergyTables } from '../../src/simulation/energy-tables.js';
import { createMachine, type Machine } from '../../src/simulation/machine.js';
import { createSpec, type MachineSpec } from '../../src/simulation/machine-spec.js';
import { schema } from './config.js';
import { factory } from './factory.js';

const epoch = 1_800_000_000_000_000_000n;

/** Seconds and watts. */
type Point = readonly [number, number];

/** Forwards tables and returns the points of `hw.power`, by `hw.id`. */
function derive(tables: Iterable<Table>): Map<string, Point[]> {
  const out = createTableCollector();
  const processor = factory.create(parseSettings(schema, {}), createFakeContext(), out);
  for (const table of tables) processor.consume(table);
  const points = new Map<string, Point[]>();
  for (const { series, offsets, values, epoch: from } of out.tables) {
    for (const [i, value] of values.entries()) {
      const { metric, attributes } = series[i % series.length];
      if (metric.name !== 'hw.power') continue;
      const at = Number(from - epoch) / 1e9 + offsets[Math.floor(i / series.length)] / 1e9;
      const id = String(attributes['hw.id']);
      points.set(id, [...(points.get(id) ?? []), [at, value]]);
    }
  }
  return points;
}

function createMeter(attributes: Attributes): Series {
  return { metric: hwEnergy, resource: { attributes: {} }, attributes, start: epoch };
}

/** One meter, with a table for each reading. */
function deriveOne(joules: readonly number[], attributes: Attributes = {}): readonly Point[] {
  const series = [createMeter({ 'hw.id': 'one', ...attributes })];
  const tables = joules.map((value, second) =>
    createRow(series, epoch + BigInt(second) * 1_000_000_000n, Float64Array.of(value)),
  );
  return derive(tables).get('one') ?? [];
}

/** A meter of 48 W that is refreshed every 5 s, read at 1 s. */
const slowJoules = Array.from({ length: 31 }, (_, second) => 240 * Math.floor((second + 2) / 5));

test('power of a meter that is refreshed every 5 s is the mean over its refreshes', () => {
  assert.deepEqual(deriveOne(slowJoules), [
    [8, 48],
    [13, 48],
    [18, 48],
    [23, 48],
    [28, 48],
  ]);
});

test('power has no spike if a slow meter is refreshed between its first two readings', () => {
  const joules = Array.from({ length: 15 }, (_, second) => 240 * Math.floor((second + 4) / 5));
  assert.deepEqual(deriveOne(joules), [
    [6, 48],
    [11, 48],
  ]);
});

test('power is 0 once a counter has not changed for twice its refresh interval, and the next refresh is no spike', () => {
  const idle = [
    ...slowJoules.slice(0, 14),
    ...Array.from({ length: 12 }, () => 720),
    960,
    960,
    960,
    960,
    960,
    1200,
  ];
  assert.deepEqual(deriveOne(idle), [
    [8, 48],
    [13, 48],
    [23, 0],
    [24, 0],
    [25, 0],
    [26, 40],
    [31, 48],
  ]);
});

test('power is 0 if a meter that is faster than its readings does not change', () => {
  assert.deepEqual(deriveOne([0, 10, 20, 30, 30, 30, 30, 40]), [
    [1, 10],
    [2, 10],
    [3, 10],
    [5, 0],
    [6, 0],
    [7, 10],
  ]);
});

test('power of an estimate that does not grow is 0 immediately', () => {
  assert.deepEqual(deriveOne([0, 10, 10, 30], { 'energy.method': 'estimated' }), [
    [1, 10],
    [2, 0],
    [3, 20],
  ]);
});

test('power has no points for a meter without readings', () => {
  assert.deepEqual(deriveOne([0, NaN, NaN, 30, 40]), [
    [1, NaN],
    [2, NaN],
    [3, 10],
    [4, 10],
  ]);
});

test('power of a fast meter does not wait for a slow one in the same table', () => {
  const series = ['fast', 'slow'].map((id) => createMeter({ 'hw.id': id }));
  const tables = slowJoules
    .slice(0, 10)
    .map((slow, second) =>
      createRow(series, epoch + BigInt(second) * 1_000_000_000n, Float64Array.of(10 * second, slow)),
    );
  const points = derive(tables);
  assert.deepEqual(
    points.get('fast'),
    Array.from({ length: 9 }, (_, i) => [i + 1, 10]),
  );
  assert.deepEqual(points.get('slow'), [[8, 48]]);
});

const second = 1_000_000;

/** Reads a simulated machine at some instants, and compares with its true energy. */
function simulate(spec: Partial<MachineSpec>, instants: readonly number[]) {
  const create = () => createMachine(createSpec({ sockets: 1, gpus: 1, rememberUs: 200 * second, ...spec }));
  const points = derive(new EnergyTables(create(), { attributes: {} }, epoch).read(instants));
  const machine = create();
  machine.advance(instants.at(-1) ?? 0);
  return { points, machine };
}

/** Joules that a domain used between two seconds. */
function joulesOf(machine: Machine, id: string, [fromS, toS]: readonly [number, number]): number {
  const index = machine.domains.findIndex(({ name }) => name === id);
  const nj =
    machine.energyNj(index, Math.round(toS * 1e6)) - machine.energyNj(index, Math.round(fromS * 1e6));
  return Number(nj) / 1e9;
}

const everySecond = Array.from({ length: 101 }, (_, i) => i * second);
const tenASecond = Array.from({ length: 1001 }, (_, i) => i * 100_000 + 37_000);

for (const [what, instants] of [
  ['once', everySecond],
  ['ten times', tenASecond],
] as const) {
  test(`power of a simulated sensor that is refreshed every 5 s and read ${what} a second is its true power`, () => {
    const { points, machine } = simulate({ refreshUs: 5 * second }, instants);
    for (const [id, own] of points) {
      assert.ok(own.length >= 17, `${id}: ${own.length} windows`);
      let joules = 0;
      for (const [i, [at, watts]] of own.slice(1).entries()) {
        const [from] = own[i];
        // The sensor shows the energy up to its last refresh.
        const shown = [5 * Math.floor(from / 5), 5 * Math.floor(at / 5)] as const;
        const truth = joulesOf(machine, id, shown) / (shown[1] - shown[0]);
        assert.ok(Math.abs(watts - truth) < 0.03 * truth, `${id} at ${at} s: ${watts} W, not ${truth} W`);
        joules += watts * (at - from);
      }
      const [[first], [last]] = [own[0], own.at(-1) ?? own[0]];
      const used = joulesOf(machine, id, [5 * Math.floor(first / 5), 5 * Math.floor(last / 5)]);
      assert.ok(Math.abs(joules - used) < 1e-6 * used, `${id}: ${joules} J, not ${used} J`);
    }
    assert.equal(points.size, 3);
  });
}

test("power of a simulated sensor with late refreshes never exceeds the machine's maximum", () => {
  const { points, machine } = simulate({ refreshUs: 5 * second, jitter: 0.1 }, tenASecond);
  for (const [id, own] of points) {
    const most = Math.max(
      ...everySecond.slice(1).map((us) => joulesOf(machine, id, [us / 1e6 - 1, us / 1e6])),
    );
    for (const [at, watts] of own)
      assert.ok(watts > 0 && watts <= most * 1.05, `${id} at ${at} s: ${watts} W`);
  }
});
