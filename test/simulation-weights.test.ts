import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factory as attribution } from '../processors/attribution/factory.js';
import { schema } from '../receivers/simulator/config.js';
import { createEnergySeries } from '../receivers/simulator/metrics.js';
import { SimulatorSampler } from '../receivers/simulator/sampler.js';
import { specOf } from '../receivers/simulator/spec.js';
import { UsageScraper } from '../receivers/simulator/usage-scraper.js';
import { createFakeContext, createLogCollector, createTableCollector } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import type { Table } from '../src/model/table.js';
import { CountTables, type CountTablesOptions } from '../src/simulation/count-tables.js';
import { createMachine } from '../src/simulation/machine.js';
import { rowsOf, sumAt } from './simulation.fixture.js';
import { total } from './sums.js';

const epoch = 1_700_000_000_000_000_000n;
const stepUs = 10_000;

/** Two sockets, with programs that differ in memory traffic and frequency, and some short-lived processes. */
const machine = {
  sockets: 2,
  cpus_per_socket: 4,
  gpus: 0,
  processes: 12,
  arrivals: 5,
  spread: 0,
  memory_spread: 1,
  frequency_spread: 1,
  collection_interval: '1s',
};

/** Measures and attributes the machine in simulated time: energy at 100 Hz, counts before a scan each second. */
function attribute(seed: number, weights: object, counts?: CountTablesOptions) {
  const config = parseSettings(schema, { ...machine, seed });
  let us = 0;
  const clock = {
    wallNs: () => epoch + BigInt(us) * 1000n,
    monotonicNs: () => BigInt(us) * 1000n,
    countBreaks: () => 0,
  };
  const log = createLogCollector();
  const context = { ...createFakeContext({ clock, log }), isConsumed: () => true };
  const collector = createTableCollector();
  const processor = attribution.create(
    parseSettings(attribution.schema, { cpu_count: 8, process_limit: 0, ...weights }),
    context,
    collector,
  );
  void processor.start();
  const sampler = new SimulatorSampler(specOf(config), () => us);
  const scraper = new UsageScraper(config, context, 0n);
  const counted = counts && new CountTables(createMachine(specOf(config)), context.host, epoch, counts);
  const series = createEnergySeries(sampler.columns, context.host, epoch);
  for (; us <= 30e6; us += stepUs) {
    const values = new Float64Array(sampler.width);
    sampler.read(values, 0);
    processor.consume({ series, epoch: clock.wallNs(), offsets: new Float64Array(1), values });
    if (us % 1e6 !== 0) continue;
    if (counted) processor.consume(counted.read(us));
    for (const table of scraper.scrape(0)) processor.consume(table);
  }
  void processor.shutdown();
  assert.deepEqual(
    log.lines.filter((line) => line.startsWith('error')),
    [],
  );
  return collector.tables;
}

/** The maximum relative error of a process that used at least a joule, by the weight of the attribution. */
function findWorst(tables: readonly Table[], hwType: string, domain: RegExp) {
  const attributed = rowsOf(tables, 'process.energy').filter(
    ({ series }) => series.attributes['hw.type'] === hwType,
  );
  const at = attributed.at(-1)?.ns ?? assert.fail('nothing was attributed');
  const ofProcesses = rowsOf(tables, 'simulator.energy').filter(
    ({ series: { attributes } }) =>
      attributes['simulator.part'] === 'process' && domain.test(String(attributes['hw.id'])),
  );
  const truth = [...sumAt(ofProcesses, at, 'process.pid')].filter(([, joules]) => joules > 1);
  const found = sumAt(attributed, at, 'process.pid');
  assert.ok(truth.length >= 8 && total(truth.map(([, joules]) => joules)) > 100);
  const errors = truth.map(([pid, joules]) => Math.abs((found.get(pid) ?? 0) / joules - 1));
  const models = new Set(
    attributed.map(({ series }) => String(series.attributes['energy.attribution.model'])),
  );
  return { worst: Math.max(...errors), models: [...models].toSorted() };
}

const seeds = [3, 21, 40];
const everyProcess = () => true;

for (const [counts, model] of [
  ['resctrl', 'memory_bandwidth'],
  ['cache-misses', 'cache_misses'],
] as const) {
  test(`attribution gives each process of two sockets its joules of memory within 2 %, by ${counts}`, () => {
    for (const seed of seeds) {
      const tables = attribute(seed, {}, { counts, isCounted: everyProcess });
      const { worst, models } = findWorst(tables, 'memory', /^dram/u);
      assert.ok(worst < 0.02, `seed ${seed}: ${worst}`);
      assert.deepEqual(models, [model]);
    }
  });
}

test('attribution gives each process of two sockets its joules of CPUs within 2 %, by cycles', () => {
  const weights = { weights: [{ hw_type: 'cpu', model: 'frequency_cpu_time' }] };
  for (const seed of seeds) {
    const tables = attribute(seed, weights, { counts: 'cycles', isCounted: everyProcess });
    const { worst, models } = findWorst(tables, 'cpu', /^cpu-package/u);
    assert.ok(worst < 0.02, `seed ${seed}: ${worst}`);
    assert.deepEqual(models, ['frequency_cpu_time']);
  }
});

test('attribution by CPU time alone is inaccurate on the same machine, and names its weight', () => {
  for (const seed of seeds) {
    const tables = attribute(seed, { weights: [{ hw_type: 'memory', model: 'cpu_time' }] });
    for (const [hwType, domain] of [
      ['memory', /^dram/u],
      ['cpu', /^cpu-package/u],
    ] as const) {
      const { worst, models } = findWorst(tables, hwType, domain);
      assert.ok(worst > 0.5, `${hwType}, seed ${seed}: ${worst}`);
      assert.deepEqual(models, ['cpu_time']);
    }
  }
});
