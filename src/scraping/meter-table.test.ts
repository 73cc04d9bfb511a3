import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTables } from '../model/check-tables.js';
import type { Table } from '../model/table.js';
import type { EnergyCount, MeterReading } from './meter-reading.js';
import { MeterTable } from './meter-table.js';

const resource = { attributes: {} };
const host = { 'hw.type': 'host', 'hw.id': 'host' };

/** The rows of some answers, a second apart. */
class Rows {
  readonly tables: Table[] = [];
  readonly table: MeterTable;

  constructor(options: { readonly host?: typeof host } = {}) {
    this.table = new MeterTable({ resource, interface: 'test', maxGapMs: 3500, ...options });
  }

  add(readings: readonly MeterReading[], isRestarted = false): Readonly<Record<string, number>> {
    const at = BigInt(this.tables.length) * 1_000_000_000n;
    const table = this.table.row({ at, monotonicNs: at + 77n }, readings, isRestarted);
    this.tables.push(table);
    checkTables(this.tables);
    return Object.fromEntries(
      table.series.map(({ metric, attributes }, column) => [
        `${String(attributes['hw.id'])} ${metric.name}`,
        table.values[column],
      ]),
    );
  }

  ended(): readonly string[] {
    return (this.tables.at(-1)?.ended ?? []).map(({ metric }) => metric.name);
  }
}

function outlet(id: string, energy?: Partial<EnergyCount>, watts?: number): MeterReading {
  return { id, type: 'outlet', energy: energy && { count: 0, joules: 3.6, ...energy }, watts };
}

test('MeterTable counts energy from the first reading on, and leaves out values that a meter does not report', () => {
  const rows = new Rows();
  assert.deepEqual(rows.add([outlet('a', { count: 9_492_468 }, 15.8)]), {
    'a hw.meter.energy': 0,
    'a hw.meter.resolution': 3.6,
    'a hw.power': 15.8,
  });
  const { 'a hw.meter.energy': joules } = rows.add([outlet('a', { count: 9_492_478 }, 16)]);
  assert.equal(joules, 36);
});

test('MeterTable describes the measured things and the interface', () => {
  const rows = new Rows();
  rows.add([{ ...outlet('pdu/1/2', { count: 5 }, 1), name: 'rack', parent: 'pdu/1' }]);
  const attributes = { 'hw.type': 'outlet', 'hw.id': 'pdu/1/2', 'hw.name': 'rack', 'hw.parent': 'pdu/1' };
  const energy = { ...attributes, 'energy.method': 'measured', 'energy.interface': 'test' };
  assert.deepEqual(
    rows.tables[0]?.series.map((series) => series.attributes),
    [energy, attributes, attributes],
  );
});

test('MeterTable starts a new series when a counter decreases, is lost by a restart, or changes its step', () => {
  const rows = new Rows();
  rows.add([outlet('a', { count: 100 })]);
  assert.equal(rows.add([outlet('a', { count: 110 })])['a hw.meter.energy'], 36);
  assert.equal(rows.add([outlet('a', { count: 109 })])['a hw.meter.energy'], 0);
  assert.deepEqual(rows.ended(), ['hw.meter.energy']);
  assert.equal(rows.add([outlet('a', { count: 200, isVolatile: true })], true)['a hw.meter.energy'], 0);
  assert.equal(rows.add([outlet('a', { count: 210 })], true)['a hw.meter.energy'], 36);
  assert.equal(rows.add([outlet('a', { count: 220, joules: 36 })])['a hw.meter.energy'], 0);
  assert.equal(rows.add([outlet('a', { count: 221, joules: 36 })])['a hw.meter.energy'], 36);
});

test('MeterTable distinguishes a wrap of 32 bits from a reset', () => {
  const rows = new Rows();
  const read = (count: number, isRestarted = false) =>
    rows.add([outlet('a', { count, wraps: true, joules: 1 })], isRestarted)['a hw.meter.energy'];
  assert.deepEqual([read(2 ** 32 - 10), read(5)], [0, 15]);
  // A counter in its lower half cannot have wrapped, nor can that of a meter that has restarted.
  assert.deepEqual([read(1_000_000), read(7), read(2 ** 32 - 1), read(8, true)], [1_000_010, 0, 0, 0]);
});

test('MeterTable shows a gap for missing energy, and counts the energy of the gap afterwards', () => {
  const rows = new Rows();
  rows.add([outlet('a', { count: 10 }, 5)]);
  const gap = rows.add([outlet('a')]);
  assert.deepEqual([gap['a hw.meter.energy'], gap['a hw.power']], [NaN, NaN]);
  assert.equal(rows.add([outlet('a', { count: 20 }, 5)])['a hw.meter.energy'], 36);
  assert.equal(rows.tables[2]?.series, rows.tables[0]?.series);
});

test('MeterTable ends removed things and starts new ones', () => {
  const rows = new Rows();
  rows.add([outlet('a', { count: 1 }, 5), outlet('b', { count: 1 })]);
  assert.deepEqual(rows.add([outlet('b', { count: 2 }), outlet('c', undefined, 7)]), {
    'b hw.meter.energy': 3.6,
    'b hw.meter.resolution': 3.6,
    'c hw.meter.energy': 0,
    'c hw.power': 7,
  });
  assert.deepEqual(rows.ended(), ['hw.meter.energy', 'hw.meter.resolution', 'hw.power']);
});

test('MeterTable adds up the supplies of the host, without the parts of a sum', () => {
  const rows = new Rows({ host });
  const phase = { ...outlet('b/a', { count: 9 }, 4), parent: 'b' };
  rows.add([outlet('a', { count: 10 }, 5), outlet('b', { count: 20 }, 7), phase]);
  const row = rows.add([outlet('a', { count: 20 }, 5), outlet('b', { count: 30 }, 8), phase]);
  assert.deepEqual([row['host hw.host.energy'], row['host hw.host.power']], [72, 13]);
  const gap = rows.add([outlet('a', { count: 20 }, 5), outlet('b'), phase]);
  assert.deepEqual([gap['host hw.host.energy'], gap['host hw.host.power']], [NaN, NaN]);
  const after = rows.add([outlet('a', { count: 30 }, 5), outlet('b', { count: 40 }, 8), phase]);
  assert.equal(after['host hw.host.energy'], 144);
});

test('MeterTable has no energy and no power of the host without supplies', () => {
  const rows = new Rows({ host });
  const sensor = { id: 'a', type: 'voltage', volts: 12 };
  assert.deepEqual(rows.add([sensor]), { 'a hw.voltage': 12 });
  assert.equal(rows.add([sensor, outlet('b', { count: 10 }, 5)])['host hw.host.power'], 5);
  const gone = rows.add([sensor]);
  assert.deepEqual([gone['host hw.host.energy'], gone['host hw.host.power']], [undefined, NaN]);
  assert.ok(rows.ended().includes('hw.host.energy'));
});

test('MeterTable starts another sum of the host when a supply was reset, not when it shows a new value', () => {
  const rows = new Rows({ host });
  rows.add([outlet('a', { count: 10 })]);
  assert.equal(rows.add([outlet('a', { count: 20 }, 5)])['host hw.host.energy'], 36);
  assert.equal(rows.add([outlet('a', { count: 3 }, 5)])['host hw.host.energy'], 0);
  assert.deepEqual(rows.ended(), ['hw.meter.energy', 'hw.host.energy']);
  assert.equal(rows.add([outlet('a', { count: 13 }, 5)])['host hw.host.energy'], 36);
});

test('MeterTable adds up from 0 again when one of several supplies was reset', () => {
  const rows = new Rows({ host });
  rows.add([outlet('a', { count: 10, joules: 1 }), outlet('b', { count: 10, joules: 1 })]);
  rows.add([outlet('a', { count: 20, joules: 1 }), outlet('b', { count: 20, joules: 1 })]);
  assert.equal(
    rows.add([outlet('a', { count: 1, joules: 1 }), outlet('b', { count: 30, joules: 1 })])[
      'host hw.host.energy'
    ],
    0,
  );
  assert.equal(
    rows.add([outlet('a', { count: 2, joules: 1 }), outlet('b', { count: 31, joules: 1 })])[
      'host hw.host.energy'
    ],
    2,
  );
});

test('MeterTable ends every series at a restart, and starts new ones', () => {
  const rows = new Rows({ host });
  rows.add([outlet('a', { count: 10 }, 1)]);
  assert.equal(rows.table.restart(500n)[0]?.ended?.length, 5);
  assert.deepEqual(rows.table.restart(500n), []);
  rows.tables.length = 0;
  assert.equal(rows.add([outlet('a', { count: 20 }, 1)])['a hw.meter.energy'], 0);
});

test('MeterTable integrates power without a counter, and not over a long gap', () => {
  const rows = new Rows({ host });
  const energies = [100, 200, -50, undefined, undefined, 10, undefined, undefined, undefined, 7, 9].map(
    (watts) => {
      const row = rows.add([outlet('a', undefined, watts)]);
      return [row['a hw.meter.energy'], row['host hw.host.energy']];
    },
  );
  const expected = [0, 150, 250, NaN, NaN, 265, NaN, NaN, NaN, 0, 8];
  assert.deepEqual(
    energies,
    expected.map((joules) => [joules, joules]),
  );
  assert.equal(rows.tables[0]?.series[0]?.attributes['energy.interface'], 'test_power');
});

test('MeterTable uses the counter once a meter shows one', () => {
  const rows = new Rows();
  rows.add([outlet('a', undefined, 100)]);
  assert.equal(rows.add([outlet('a', undefined, 100)])['a hw.meter.energy'], 100);
  assert.equal(rows.add([outlet('a', { count: 10 }, 100)])['a hw.meter.energy'], 0);
  assert.equal(rows.tables.at(-1)?.series[0]?.attributes['energy.interface'], 'test');
});
