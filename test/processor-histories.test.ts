import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcessorFactory } from '../src/component/component.js';
import { createFakeContext, createTableCollector } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import { checkTables } from '../src/model/check-tables.js';
import { fc } from '../src/testing/fixed-seed.fixture.js';
import { holdsForAsync } from '../src/testing/property.fixture.js';
import { loadComponentFolders } from './component-folders.js';
import { createRandomTables } from './random-tables.fixture.js';

const workloads = [
  {
    energy: 'process.energy',
    match: ['service.name'],
    background: true,
    split_by: ['container.id'],
    units: [
      { name: 'request', metric: 'requests' },
      { name: 'token', metric: 'tokens', minus: 'requests' },
    ],
  },
  {
    energy: 'hw.energy',
    attributes: { 'hw.type': 'cpu' },
    match: [],
    units: [{ name: 'request', metric: 'requests' }],
  },
];

const formulas = [
  {
    name: 'counted',
    kind: 'counter',
    expression: 'energy * used / requests',
    group_by: ['process.pid'],
    inputs: [
      { name: 'energy', metric: 'hw.energy' },
      { name: 'used', metric: 'process.cpu.time', take: 'rate' },
      { name: 'requests', metric: 'requests' },
    ],
  },
  {
    name: 'compared',
    expression: 'memory > 50 ? memory / used : 0',
    inputs: [
      { name: 'memory', metric: 'process.memory.usage', combine: 'max' },
      { name: 'used', metric: 'process.cpu.time' },
    ],
  },
];

const aggregations = [
  {
    metrics: ['hw.energy', 'process.energy'],
    functions: ['last', 'sum', 'mean', 'min', 'max', 'p99', 'histogram', 'exponential_histogram'],
  },
  {
    metrics: ['hw.temperature', 'process.memory.usage'],
    functions: ['mean', 'p50'],
    group_by: ['host.name'],
  },
  { metrics: ['process.cpu.time'], functions: ['last', 'max'], group_by: ['process.executable.name'] },
];

const transforms = [
  {
    include: 'energy$',
    match_type: 'regexp',
    action: 'combine',
    new_name: 'energy',
    aggregation_type: 'sum',
  },
  {
    include: 'hw.temperature',
    action: 'update',
    operations: [{ action: 'aggregate_labels', label_set: [], aggregation_type: 'mean' }],
  },
];

/** Settings by processor. Those that are not listed run with their defaults. */
const settings: Readonly<Record<string, readonly object[]>> = {
  aggregation: [{ interval: '2s', max_lag: '1s', aggregations }],
  attributes: [{ actions: ['hw.id', 'cpu.mode'].map((key) => ({ key, action: 'delete' })) }],
  carbon: [{ country: 'FRA', pue: 1.3, embodied: {}, market: {} }],
  cost: [{ periods: [{ from: '22:00', to: '06:00', price: 0.1 }] }],
  estimation: [{}, { cpu: { tdp: 100 } }],
  filter: [{ exclude: [{ metric_names: ['process.energy'] }] }],
  formula: [{ max_lag: '3s', formulas }],
  group_by_attributes: [{ keys: ['hw.type', 'cpu.mode'] }],
  interval: [{ interval: '3s' }, { interval: '3s', pass_through: { gauge: true, up_down_counter: false } }],
  metrics_transform: [...['alumet', 'kepler', 'scaphandre'].map((preset) => ({ preset })), { transforms }],
  power: [{}, { window: '3s' }],
  resource: [{}, { attributes: [{ key: 'process.pid', action: 'delete' }] }],
  thin: [{ metrics: ['hw.energy', 'process.energy'], error: 5, heartbeat: '4s' }],
  topk: [
    { metric: 'process.cpu.time', group_by: ['process.pid'], limit: 1, window: '2s' },
    { metric: 'hw.temperature', group_by: ['hw.id'], limit: 1, sum_gauges: ['hw.temperature'] },
  ],
  work: [{ max_lag: '5s', workloads }],
  workload_names: [{ sources: [] }],
};

const folders = await loadComponentFolders();

for (const { type, factory } of folders.filter(({ kind }) => kind === 'processor')) {
  for (const [i, own] of (settings[type] ?? [{}]).entries()) {
    test(`${type} keeps the rules for tables over random histories (settings ${i})`, async () => {
      await holdsForAsync(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
        // listBuiltInTypes found it among the processors.
        checkTables(await run(factory as ProcessorFactory, own, seed));
      });
    });
  }
}

test('the random histories keep the rules for tables', () => {
  let [rows, endings] = [0, 0];
  for (let seed = 0; seed < 200; seed++) {
    const tables = createRandomTables(seed);
    checkTables(tables);
    for (const { offsets, ended = [] } of tables) {
      rows += offsets.length;
      endings += ended.length;
    }
  }
  assert.ok(rows > 10_000 && endings > 500, `${rows} rows, ${endings} endings`);
});

/** What a processor forwards. */
async function run(factory: ProcessorFactory, own: object, seed: number) {
  const out = createTableCollector();
  const processor = factory.create(parseSettings(factory.schema, own), createFakeContext(), out);
  await processor.start();
  for (const table of createRandomTables(seed)) processor.consume(table);
  await processor.shutdown();
  return out.tables;
}
