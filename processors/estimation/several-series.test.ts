import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTables } from '../../src/model/check-tables.js';
import { createEnding, createRow, timeOf } from '../../src/model/table.js';
import { busyTime } from '../../src/model/usage-metrics.js';
import { create, createSeries, unixNs } from './estimation.fixture.js';

const powers = { cpu: { idle_power: 20, max_power: 100 } };
const modes = ['user', 'system'].map((mode) => createSeries(busyTime, { 'cpu.mode': mode }));
const nodes = [0, 1].map((node) => createSeries('system.memory.limit', { 'numa.node': node }));
const gigabyte = 1024 ** 3;

test('estimation adds the series of one machine, whether they come in one table or in several', () => {
  for (const isDivided of [false, true]) {
    const estimation = create(powers);
    estimation.cpus(0, 4);
    for (const [atS, user, system] of [
      [0, 500, 70],
      [1, 501, 71],
      [2, 502, 71],
    ] as const) {
      const values = [user, system];
      if (isDivided) modes.forEach((one, i) => estimation.row([one], atS, values[i] ?? NaN));
      else estimation.row(modes, atS, ...values);
    }
    // Of 4 CPUs, 3 s of 8 s were used.
    assert.deepEqual(estimation.joules(), { 'hw.energy cpu-estimate': 2 * 20 + (80 * 3) / 4 });
    checkTables(estimation.out.tables);
  }
});

test('estimation adds the memory of the parts of one machine that come in several tables', () => {
  const estimation = create(powers);
  for (const atS of [0, 1, 2]) for (const one of nodes) estimation.row([one], atS, 10 * gigabyte);
  assert.deepEqual(estimation.joules(), { 'hw.energy memory-estimate': 2 * 20 * 0.392 });
  checkTables(estimation.out.tables);
});

test('estimation counts no use of the past of a series that joins, and keeps that of one that ends', () => {
  const [user, system] = modes;
  assert.ok(user && system);
  const estimation = create(powers);
  estimation.cpus(0, 4);
  estimation.row([user], 0, 500);
  estimation.row([user], 1, 501);
  estimation.row([user, system], 2, 502, 1000);
  estimation.row([system], 3, 1001);
  estimation.consume(createEnding([user], unixNs(3)));
  estimation.row([system], 4, 1001);
  assert.deepEqual(estimation.joules(), { 'hw.energy cpu-estimate': 4 * 20 + (80 * 3) / 4 });
  assert.deepEqual(
    estimation.out.tables.flatMap(({ ended }) => ended ?? []),
    [user],
  );
  estimation.consume(createEnding([system], unixNs(4)));
  const ended = estimation.out.tables.flatMap((table) => table.ended ?? []);
  assert.deepEqual(
    ended.map(({ metric }) => metric.name),
    [busyTime.name, busyTime.name, 'hw.energy', 'energy.floor.power'],
  );
  checkTables(estimation.out.tables);
});

test('estimation publishes nothing for rows that are older than those of another table', () => {
  const [user, system] = modes;
  assert.ok(user && system);
  const estimation = create(powers);
  estimation.cpus(0, 4);
  for (const atS of [0, 1, 2]) {
    estimation.row([user], atS, atS);
    estimation.row([system], atS - 0.5, atS);
  }
  const instants = estimation.out.tables
    .filter(({ series }) => series[0]?.metric.name === 'hw.energy')
    .map((table) => timeOf(table, 0));
  assert.deepEqual(instants, [0, 1, 2].map(unixNs));
  estimation.row([user], 3, 3);
  assert.deepEqual(estimation.joules(), { 'hw.energy cpu-estimate': 3 * 20 + (80 * 5) / 4 });
});

test('estimation starts again with a series that replaces the one before, even at an earlier time', () => {
  const [before, after] = [createSeries(busyTime), createSeries(busyTime)];
  const estimation = create(powers);
  estimation.cpus(0, 4);
  for (const atS of [100, 101]) estimation.row([before], atS, atS);
  const row = createRow([after], unixNs(10), Float64Array.of(5));
  estimation.consume({ ...row, ended: [before] });
  estimation.row([after], 11, 6);
  assert.deepEqual(estimation.joules(), { 'hw.energy cpu-estimate': 20 + 80 / 4 });
  assert.equal(estimation.out.tables.at(-1)?.series[0]?.start, unixNs(10));
});
