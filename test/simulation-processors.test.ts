import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factory as attributes } from '../processors/attributes/factory.js';
import { factory as attribution } from '../processors/attribution/factory.js';
import { factory as filter } from '../processors/filter/factory.js';
import { factory as power } from '../processors/power/factory.js';
import { factory as resource } from '../processors/resource/factory.js';
import type { ProcessorFactory } from '../src/component/component.js';
import { createFakeContext, createTableCollector } from '../src/component/fakes.js';
import type { Schema } from '../src/component/schema.js';
import { parseSettings } from '../src/config/settings.js';
import { checkTables, sumLastValues } from '../src/model/check-tables.js';
import { seriesKey, type Series } from '../src/model/series.js';
import type { Table } from '../src/model/table.js';
import { simulateTables } from '../src/simulation/simulated-tables.js';
import { rowsOf } from './simulation.fixture.js';
import { total } from './sums.js';

const run = simulateTables();
const joules = total([...run.joules.values()]);
const busySeconds = Number(run.machine.busyNs) / 1e9;

type Feed = () => Promise<readonly Table[]>;

/** Output of a processor with these settings for all tables. */
function feed<S extends Schema>(factory: ProcessorFactory<S>, settings: object): Feed {
  return async () => {
    const next = createTableCollector();
    const processor = factory.create(parseSettings(factory.schema, settings), createFakeContext(), next);
    await processor.start();
    for (const table of run.tables) assert.equal(processor.consume(table), true);
    await processor.shutdown();
    checkTables(next.tables);
    return next.tables;
  };
}

const drop = (key: string) => ({ key, action: 'delete' });

const { births } = run.machine;
const programs = new Set(run.machine.processes.map(({ identity }) => identity.program)).size;

/**
 * Settings that preserve all sums, and the number of energy and CPU time series with them, identified by their
 * attributes.
 */
const faithful: readonly (readonly [string, Feed, readonly [number, number]])[] = [
  ['attribution', feed(attribution, { cpu_count: 16, process_limit: 0 }), [5, 2 * births]],
  ['power', feed(power, {}), [5, 2 * births]],
  [
    'filter that drops gauges',
    feed(filter, { exclude: [{ metric_names: ['process.cpu.utilization'] }] }),
    [5, 2 * births],
  ],
  [
    'attributes without names',
    feed(attributes, { actions: [drop('hw.name'), drop('cpu.mode')] }),
    [5, births],
  ],
  [
    'attributes that sums domains',
    feed(attributes, { actions: [drop('hw.name'), drop('hw.id')] }),
    [3, 2 * births],
  ],
  ['resource that detects', feed(resource, {}), [5, 2 * births]],
  [
    'resource that sums the processes of a program',
    feed(resource, { attributes: [drop('process.pid'), drop('process.creation.time')] }),
    [5, 2 * programs],
  ],
];

for (const [name, consume, counts] of faithful) {
  test(`${name} passes on the exact joules and CPU seconds of a simulated machine`, async () => {
    const tables = await consume();
    assert.ok(Math.abs(sumLastValues(tables, 'hw.energy') - joules) < 1e-9 * joules);
    assert.ok(Math.abs(sumLastValues(tables, 'process.cpu.time') - busySeconds) < 1e-9);
    assert.equal(sumLastValues(tables, 'system.cpu.busy.time'), busySeconds);
    const keys = ['hw.energy', 'process.cpu.time'].map(
      (metric) => new Set(rowsOf(tables, metric).map(({ series }) => seriesKey(series))),
    );
    assert.deepEqual(
      keys.map(({ size }) => size),
      counts,
    );
  });
}

test('power gives watts that add up to the true joules, except for energy of a counter that ended within a window', async () => {
  const rows = rowsOf(await feed(power, {})(), 'hw.power');
  const made = new Map<unknown, number>();
  const last = new Map<Series, bigint>();
  for (const { series, ns, value } of rows) {
    const seconds = Number(ns - (last.get(series) ?? series.start)) / 1e9;
    last.set(series, ns);
    const id = series.attributes['hw.id'];
    made.set(id, (made.get(id) ?? 0) + value * seconds);
  }
  const { domains } = run.machine;
  const used = (index: number, us: number) => Number(run.machine.energyNj(index, us)) / 1e9;
  for (const id of run.joules.keys()) {
    const index = domains.findIndex(({ name }) => name === id);
    // The counters end at 2.4 s, in the middle of a window, and restart at 2.5 s.
    const wanted = used(index, 2_000_000) + used(index, 4_000_000) - used(index, 2_500_000);
    assert.ok(Math.abs((made.get(id) ?? 0) - wanted) < 1e-9 * wanted, id);
  }
});

test('filter keeps the joules of the series that it keeps, and no others', async () => {
  const keepCpu = { include: [{ metric_names: ['hw.energy'], attributes: { 'hw.type': 'cpu' } }] };
  const tables = await feed(filter, keepCpu)();
  const names = new Set(tables.flatMap(({ series }) => series.map(({ attributes: own }) => own['hw.id'])));
  assert.deepEqual(names, new Set(['package-0', 'package-1']));
  const wanted = (run.joules.get('package-0') ?? 0) + (run.joules.get('package-1') ?? 0);
  assert.ok(Math.abs(sumLastValues(tables, 'hw.energy') - wanted) < 1e-9 * wanted);
});
