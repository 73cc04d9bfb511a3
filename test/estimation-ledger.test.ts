import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factory as attribution } from '../processors/attribution/factory.js';
import { factory as estimation } from '../processors/estimation/factory.js';
import { createFakeContext, createTableCollector } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import type { Series } from '../src/model/series.js';
import { meteredEnergyNames } from '../src/model/shared-metrics.js';
import { createRow, type Table } from '../src/model/table.js';
import { busyTime, logicalCpus } from '../src/model/usage-metrics.js';
import { epoch, simulateTables } from '../src/simulation/simulated-tables.js';
import { rowsOf } from './simulation.fixture.js';
import { total } from './sums.js';

const cpus = 4;
const seconds = 20;

/** Usage of a machine without energy meters, estimated and attributed. */
function attribute(): readonly Table[] {
  const collector = createTableCollector();
  const { tables } = simulateTables({ spec: { sockets: 1, cpusPerSocket: cpus, faults: [] }, seconds });
  const resource = tables
    .flatMap(({ series }) => series)
    .find(({ metric }) => metric.name === busyTime.name)?.resource;
  assert.ok(resource);
  const ledger = attribution.create(
    parseSettings(attribution.schema, { process_limit: 0 }),
    createFakeContext({ host: resource }),
    collector,
  );
  const processor = estimation.create(
    parseSettings(estimation.schema, { cpu: { idle_power: 20, max_power: 100 } }),
    createFakeContext({ host: resource }),
    ledger,
  );
  const count = { metric: logicalCpus, resource, attributes: {}, start: epoch };
  processor.consume(createRow([count], epoch, Float64Array.of(cpus)));
  for (const table of tables) {
    if (!table.series.some(({ metric }) => meteredEnergyNames.has(metric.name))) processor.consume(table);
  }
  void ledger.shutdown();
  return collector.tables;
}

test('the ledger charges estimated energy in its own windows: to each process by its CPU time, and the idle power', () => {
  const tables = attribute();
  const last = (name: string) => {
    const values = new Map(rowsOf(tables, name).map(({ series, value }) => [series, value]));
    return [...values].map(([series, value]) => ({ series, value }));
  };
  const energy = last('hw.energy');
  assert.equal(energy.length, 1);
  const parts = last('ledger.energy');
  const of = (part: string) =>
    total(parts.filter(({ series }) => series.attributes['ledger.part'] === part).map(({ value }) => value));
  assert.ok(Math.abs(of('idle') - 20 * seconds) < 1e-6, `${of('idle')} J idle`);
  const sum = of('idle') + of('attributed') + of('unattributed');
  assert.ok(Math.abs(sum - (energy[0]?.value ?? NaN)) < 1e-6, `${sum} J in parts of ${energy[0]?.value} J`);
  const processes = last('process.energy');
  assert.ok(processes.length > 10);
  assert.ok(processes.every(({ series }) => series.attributes['energy.method'] === 'estimated'));
  // Each CPU second costs (100 W - 20 W) / 4 CPUs.
  const used = new Map<string, number>();
  const counted = new Set<Series>();
  for (const { series, value } of rowsOf(tables, 'process.cpu.time').toReversed()) {
    if (!counted.has(series)) used.set(keyOf(series), (used.get(keyOf(series)) ?? 0) + value);
    counted.add(series);
  }
  for (const { series, value } of processes) {
    const wanted = (used.get(keyOf(series)) ?? NaN) * 20;
    assert.ok(Math.abs(value - wanted) <= 1e-6, `process ${keyOf(series)}: ${value} J, expected ${wanted} J`);
  }
});

function keyOf({ resource }: Series): string {
  return `${resource.attributes['process.pid']} ${resource.attributes['process.creation.time']}`;
}
