import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTables, sumLastValues } from '../model/check-tables.js';
import { simulateTables } from './simulated-tables.js';

const joulesOf = (nj: bigint) => Number(nj) / 1e9;

test('simulateTables has births, deaths, a gap, a reset and every kind of metric, the same each time', () => {
  const { tables, machine } = simulateTables();
  checkTables(tables);
  const ended = new Set(tables.flatMap((table) => table.ended ?? []));
  const names = new Set([...ended].map(({ metric }) => metric.name));
  assert.deepEqual(names, new Set(['process.cpu.time', 'process.cpu.utilization', 'hw.energy']));
  const series = new Set(tables.flatMap((table) => table.series));
  const modes = [...series].filter(({ metric }) => metric.name === 'process.cpu.time');
  assert.equal(modes.length, 2 * machine.births);
  assert.ok(machine.births > 60 && tables.some(({ values }) => values.some(Number.isNaN)));
  const kinds = new Set([...series].map(({ metric }) => metric.kind));
  assert.deepEqual(kinds, new Set(['counter', 'gauge', 'updowncounter']));
  assert.deepEqual(simulateTables().tables, tables);
});

test('simulateTables counts the energy that the machine used, and the CPU time', () => {
  const { tables, joules, machine } = simulateTables({ spec: { faults: [] }, seconds: 5 });
  assert.deepEqual([...joules.keys()], ['package-0', 'dram-0', 'package-1', 'dram-1', 'gpu-0']);
  for (const [name, counted] of joules) {
    const index = machine.domains.findIndex((domain) => domain.name === name);
    assert.equal(counted, joulesOf(machine.energyNj(index, 5_000_000)));
  }
  const all = [...joules.values()].reduce((sum, each) => sum + each, 0);
  assert.ok(Math.abs(sumLastValues(tables, 'hw.energy') - all) < 1e-9);
  const [busy] = tables.at(-1)?.values ?? [];
  assert.equal(busy, Number(machine.busyNs) / 1e9);
});

test('simulateTables leaves out, at a reset, what was used since the reading before it', () => {
  const { tables, joules, machine } = simulateTables();
  const index = machine.domains.findIndex(({ name }) => name === 'package-0');
  const lostNj = machine.energyNj(index, 2_500_000) - machine.energyNj(index, 2_400_000);
  const wanted = joulesOf(machine.energyNj(index, 4_000_000) - lostNj);
  assert.ok(Math.abs((joules.get('package-0') ?? 0) - wanted) < 1e-9);
  const all = [...joules.values()].reduce((sum, each) => sum + each, 0);
  assert.ok(Math.abs(sumLastValues(tables, 'hw.energy') - all) < 1e-9);
});
