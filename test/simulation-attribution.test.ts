import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factory as attribution } from '../processors/attribution/factory.js';
import { schema } from '../receivers/simulator/config.js';
import { createEnergySeries } from '../receivers/simulator/metrics.js';
import { SimulatorSampler } from '../receivers/simulator/sampler.js';
import { specOf } from '../receivers/simulator/spec.js';
import { UsageScraper } from '../receivers/simulator/usage-scraper.js';
import { createFakeContext, createTableCollector } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import type { Series } from '../src/model/series.js';
import type { Table } from '../src/model/table.js';
import { rowsOf, sumAt } from './simulation.fixture.js';
import { total } from './sums.js';

const epoch = 1_700_000_000_000_000_000n;

const seriesOf = (tables: readonly Table[]) => tables.flatMap(({ series }) => series);

/** Measures and attributes a simulated machine in simulated time: scans once a second, energy at a given rate. */
function attribute(settings: object, hertz: number, seconds: number): readonly Table[] {
  const config = parseSettings(schema, { ...settings, collection_interval: '1s' });
  let us = 0;
  const clock = {
    wallNs: () => epoch + BigInt(us) * 1000n,
    monotonicNs: () => BigInt(us) * 1000n,
    countBreaks: () => 0,
  };
  const context = { ...createFakeContext({ clock }), isConsumed: () => true };
  const collector = createTableCollector();
  const processor = attribution.create(
    parseSettings(attribution.schema, { cpu_count: 4, process_limit: 0 }),
    context,
    collector,
  );
  const sampler = new SimulatorSampler(specOf(config), () => us);
  const scraper = new UsageScraper(config, context, 0n);
  let series: readonly Series[] = [];
  let generation = -1;
  for (let second = 0; second <= seconds; second++) {
    const first = second === 0 ? 0 : (second - 1) * 1e6 + 1e6 / hertz;
    for (us = first; us <= second * 1e6; us += 1e6 / hertz) {
      const values = new Float64Array(sampler.width);
      sampler.read(values, 0);
      const ended = sampler.generation === generation ? [] : series;
      if (sampler.generation !== generation) {
        series = createEnergySeries(sampler.columns, context.host, clock.wallNs());
      }
      generation = sampler.generation;
      const row = { series, epoch: clock.wallNs(), offsets: new Float64Array(1), values };
      processor.consume(ended.length > 0 ? { ...row, ended } : row);
    }
    us = second * 1e6;
    for (const table of scraper.scrape(0)) processor.consume(table);
  }
  return collector.tables;
}

const machine = {
  seed: 21,
  sockets: 1,
  cpus_per_socket: 4,
  gpus: 0,
  processes: 8,
  arrivals: 5,
  spread: 0,
};

// Readings are missing at the boundaries of the attribution windows.
const schedule = [
  { kind: 'failed', at: '900ms', for: '200ms' },
  { kind: 'wrap', at: '2500ms' },
  { kind: 'torn', at: '2900ms', for: '1200ms' },
  { kind: 'offline', at: '4s', for: '2s' },
  { kind: 'empty', at: '4900ms', for: '200ms', domain: 'package-0' },
  { kind: 'dead', at: '5500ms', for: '300ms' },
];

for (const hertz of [1, 100, 10_000]) {
  for (const [name, faults] of Object.entries({
    'no fault': {},
    'faulty reads, a wrap and hotplug': { schedule },
  })) {
    test(`attribution gives each process the joules that it cost, at ${hertz} Hz with ${name}`, () => {
      const tables = attribute({ ...machine, faults }, hertz, hertz > 100 ? 8 : 20);
      const attributed = rowsOf(tables, 'process.energy');
      const at = attributed.at(-1)?.ns ?? assert.fail('nothing was attributed');
      const truth = sumAt(
        rowsOf(tables, 'simulator.energy').filter(
          ({ series }) => series.attributes['simulator.part'] === 'process',
        ),
        at,
        'process.pid',
      );
      const found = sumAt(attributed, at, 'process.pid');
      assert.ok(total([...truth.values()]) > 100);
      for (const [pid, joules] of truth) {
        const error = (found.get(pid) ?? 0) - joules;
        // Where readings are missing at the boundary of two windows, the energy between them is assumed to be
        // constant over time.
        assert.ok(Math.abs(error) < 0.01 + 0.005 * joules, `pid ${pid}: off by ${error} J of ${joules} J`);
      }
    });
  }
}

/** The maximum relative error of a process that used at least a joule, and the number of such processes. */
function findWorst(tables: readonly Table[]): { readonly worst: number; readonly count: number } {
  const attributed = rowsOf(tables, 'process.energy');
  const at = attributed.at(-1)?.ns ?? assert.fail('nothing was attributed');
  const ofProcesses = rowsOf(tables, 'simulator.energy').filter(
    ({ series }) => series.attributes['simulator.part'] === 'process',
  );
  const truth = [...sumAt(ofProcesses, at, 'process.pid')].filter(([, joules]) => joules > 1);
  const found = sumAt(attributed, at, 'process.pid');
  const errors = truth.map(([pid, joules]) => Math.abs((found.get(pid) ?? 0) / joules - 1));
  return { worst: Math.max(...errors), count: errors.length };
}

test('attribution gives each process of two sockets with different loads its joules within 2 %', (t) => {
  for (const seed of [3, 21, 40]) {
    // By CPU time of the machine, the error of a process is up to 63 %.
    const sockets = { sockets: 2, processes: 12, socket_spread: 1 };
    const tables = attribute({ ...machine, ...sockets, seed }, 100, 30);
    const { worst, count } = findWorst(tables);
    t.diagnostic(`seed ${seed}: ${worst} of ${count} processes`);
    assert.ok(worst < 0.02 && count >= 8, `seed ${seed}: ${worst} of ${count} processes`);
    assert.ok(!seriesOf(tables).some(({ metric }) => metric.name.includes('.package.')));
  }
});

test('attribution gives each process its joules within 1 % at steady load and within 3 % if processes live for about a second', (t) => {
  for (const [name, settings, limit] of [
    ['steady load', { arrivals: 0 }, 0.01],
    ['short processes', { processes: 2, arrivals: 30 }, 0.03],
  ] as const) {
    for (const seed of [3, 21, 40]) {
      const { worst, count } = findWorst(attribute({ ...machine, ...settings, seed }, 100, 30));
      t.diagnostic(`${name}, seed ${seed}: ${worst} of ${count} processes`);
      assert.ok(worst < limit && count >= 5, `${name}, seed ${seed}: ${worst} of ${count} processes`);
    }
  }
});
