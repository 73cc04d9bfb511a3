import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { checkTables } from '../../src/model/check-tables.js';
import type { Attributes, MetricKind, Series } from '../../src/model/series.js';
import { createEnding, createRow } from '../../src/model/table.js';
import { epoch, unixNs } from '../../src/windows/windows.fixture.js';
import { factory } from './factory.js';

interface Described {
  readonly kind?: MetricKind;
  readonly attributes?: Attributes;
  readonly startS?: number;
}

/** A series of a process on a machine. */
function seriesOf(
  name: string,
  pid: number,
  { kind = 'counter', attributes = {}, startS = 0 }: Described = {},
) {
  const metric = { name, unit: 's', description: '', kind, valueType: 'double' } as const;
  const resource = { attributes: { 'host.name': 'node-1', 'process.pid': pid, 'process.owner': 'ann' } };
  return { metric, resource, attributes, start: unixNs(startS) };
}

const cpuTime = (pid: number, options: Described = {}): Series => seriesOf('process.cpu.time', pid, options);

function createRig(settings: object = {}) {
  const [log, next] = [createLogCollector(), createTableCollector()];
  const config = parseSettings(factory.schema, { limit: 1, ...settings });
  const processor = factory.create(config, createFakeContext({ log }), next);
  return {
    log,
    next,
    processor,
    second: (atS: number, series: readonly Series[], values: readonly number[]) =>
      processor.consume(createRow(series, unixNs(atS), Float64Array.from(values))),
    /** The last row, by the distinguishing attributes of its series. */
    last() {
      const table = next.tables.findLast(({ offsets }) => offsets.length > 0);
      const entries = table?.series.map((one, column) => [describe(one), table.values[column]]);
      return Object.fromEntries(entries ?? []);
    },
  };
}

function describe({ metric, resource, attributes }: Series): string {
  return [metric.name, resource.attributes['process.pid'], ...Object.values(attributes)].join(' ');
}

test('topk forwards the groups with the highest usage from their first window on, and the sum of all others', () => {
  const { second, last, next } = createRig({ limit: 2 });
  const series = [1, 2, 3, 4].map((pid) => cpuTime(pid));
  second(1, series, [1, 4, 2, 3]);
  assert.deepEqual(last(), { 'process.cpu.time 2': 4, 'process.cpu.time 4': 3, 'process.cpu.time other': 3 });
  second(2, series, [2, 5, 3, 5]);
  assert.deepEqual(last(), { 'process.cpu.time 2': 5, 'process.cpu.time 4': 5, 'process.cpu.time other': 5 });
  const other = next.tables[0].series.find(({ resource }) => resource.attributes['process.pid'] === 'other');
  assert.deepEqual(other?.resource.attributes, { 'host.name': 'node-1', 'process.pid': 'other' });
  assert.equal(other?.start, epoch);
  assert.ok(next.tables[0].series.includes(series[1]), 'what is shown is forwarded as it is');
});

test('topk forwards a table itself if every group has a place, or no series has a group', () => {
  const { next, processor } = createRig({ limit: 2 });
  const [mine, others] = [[cpuTime(1), cpuTime(2)], [{ ...cpuTime(1), resource: { attributes: {} } }]].map(
    (series) => createRow(series, unixNs(1), Float64Array.of(1, 2).slice(0, series.length)),
  );
  processor.consume(mine);
  processor.consume(others);
  assert.deepEqual(next.tables, [mine, others]);
  assert.ok(next.tables[0] === mine && next.tables[1] === others);
});

test('topk gives a place to a group with clearly higher usage: it counts from 0, and other keeps what it counted', () => {
  const { second, last, next } = createRig();
  const series = [cpuTime(1), cpuTime(2)];
  second(1, series, [5, 4]);
  second(2, series, [6, 7]);
  assert.deepEqual(last(), { 'process.cpu.time 1': 6, 'process.cpu.time other': 7 });
  second(3, series, [6, 20]);
  assert.deepEqual(last(), { 'process.cpu.time other': 7, 'process.cpu.time 2': 13 });
  const ended = next.tables.flatMap((table) => table.ended ?? []);
  assert.deepEqual(ended, [series[0]]);
  const promoted = next.tables.at(-1)?.series.find((one) => one.resource === series[1].resource);
  assert.equal(promoted?.start, unixNs(2), 'its last reading as a part of other');
  second(4, series, [8, 20]);
  assert.deepEqual(last(), { 'process.cpu.time other': 9, 'process.cpu.time 2': 13 });
  checkTables(next.tables);
});

test('topk replaces all series of a group: sums of up-down counters and of power, and no other gauges', () => {
  const { second, last, next } = createRig();
  const [memory, power, share] = [
    (pid: number) => seriesOf('process.memory.usage', pid, { kind: 'updowncounter' }),
    (pid: number) => seriesOf('process.power', pid, { kind: 'gauge' }),
    (pid: number) => seriesOf('process.cpu.utilization', pid, { kind: 'gauge' }),
  ];
  const usage = [1, 2, 3].map((pid) => cpuTime(pid));
  const others = [memory, power, share].flatMap((create) => [1, 2, 3].map(create));
  second(1, usage, [3, 1, 1]);
  second(1, others, [100, 20, 30, 7, 8, 9, 0.3, 0.1, 0.1]);
  assert.deepEqual(last(), {
    'process.memory.usage 1': 100,
    'process.memory.usage other': 50,
    'process.power 1': 7,
    'process.power other': 17,
    'process.cpu.utilization 1': 0.3,
  });
  second(2, usage, [3, 9, 1]);
  second(2, others, [101, 21, 31, 1, 2, 3, 0, 0.8, 0]);
  assert.deepEqual(last(), {
    'process.memory.usage other': 132,
    'process.memory.usage 2': 21,
    'process.power other': 4,
    'process.power 2': 2,
    'process.cpu.utilization 2': 0.8,
  });
  checkTables(next.tables);
});

test('topk ranks a group by all of its series, and keeps other attributes separate in other', () => {
  const { second, last } = createRig();
  const modes = ['user', 'system'].map((mode) => ({ attributes: { 'cpu.mode': mode } }));
  const series = [1, 2, 3].flatMap((pid) => modes.map((mode) => cpuTime(pid, mode)));
  second(1, series, [3, 3, 4, 1, 4, 0]);
  assert.deepEqual(last(), {
    'process.cpu.time 1 user': 3,
    'process.cpu.time 1 system': 3,
    'process.cpu.time other user': 8,
    'process.cpu.time other system': 1,
  });
});

test('topk ranks by attributes of series, whose other has the same resource', () => {
  const { processor, next } = createRig({ metric: 'http.requests', group_by: ['http.route', 'http.method'] });
  const resource = { attributes: { 'service.name': 'shop' } };
  const metric = {
    name: 'http.requests',
    unit: '1',
    description: '',
    kind: 'counter',
    valueType: 'int',
  } as const;
  const create = (attributes: Attributes) => ({ metric, resource, attributes, start: epoch });
  const series = [
    create({ 'http.route': '/a', 'http.method': 'GET', code: 200 }),
    create({ 'http.route': '/a', 'http.method': 'PUT', code: 200 }),
    create({ 'http.route': '/b', 'http.method': 'GET', code: 200 }),
    create({ code: 200 }),
  ];
  processor.consume(createRow(series, unixNs(1), Float64Array.of(2, 7, 3, 1)));
  const [table] = next.tables;
  assert.deepEqual(
    table.series.map((one, column) => [one.attributes, table.values[column]]),
    [
      [{ code: 200, 'http.route': 'other' }, 5],
      [{ 'http.route': '/a', 'http.method': 'PUT', code: 200 }, 7],
      [{ code: 200 }, 1],
    ],
  );
  for (const one of table.series) assert.equal(one.resource, resource);
});

test('topk always shows the configured groups', () => {
  const { second, last } = createRig({ shown: ['3'] });
  second(1, [cpuTime(1), cpuTime(2), cpuTime(3)], [2, 4, 1]);
  assert.deepEqual(last(), {
    'process.cpu.time other': 2,
    'process.cpu.time 2': 4,
    'process.cpu.time 3': 1,
  });
});

test('topk keeps one other per machine', () => {
  const { processor, next } = createRig();
  const { metric } = cpuTime(1);
  const create = (node: string, pid: number): Series => ({
    metric,
    resource: { attributes: { 'host.name': node, 'process.pid': pid } },
    attributes: {},
    start: epoch,
  });
  const series = [create('node-1', 1), create('node-1', 2), create('node-2', 3), create('node-2', 4)];
  processor.consume(createRow(series, unixNs(1), Float64Array.of(1, 2, 3, 4)));
  const [table] = next.tables;
  assert.deepEqual(
    table.series.map(({ resource }) => resource.attributes),
    [
      { 'host.name': 'node-1', 'process.pid': 'other' },
      { 'host.name': 'node-2', 'process.pid': 'other' },
      { 'host.name': 'node-2', 'process.pid': 4 },
    ],
  );
  assert.deepEqual([...table.values], [3, 3, 4]);
});

test('topk uses the mean growth of a series that is older than its first reading', () => {
  const { second, last } = createRig({ window: '10s' });
  // 100 s in 1,000 s are 1 s in the last ten; the other one used 2 s in 4 s.
  second(0, [cpuTime(1, { startS: -1000 }), cpuTime(2, { startS: -4 })], [100, 2]);
  assert.deepEqual(last(), { 'process.cpu.time other': 100, 'process.cpu.time 2': 2 });
});

test('topk ranks by the value of a gauge times its duration', () => {
  const { second, last } = createRig({ metric: 'process.memory.usage', window: '10s' });
  const series = [1, 2].map((pid) => seriesOf('process.memory.usage', pid, { kind: 'updowncounter' }));
  second(1, series, [100, 10]);
  assert.deepEqual(last(), { 'process.memory.usage 1': 100, 'process.memory.usage other': 10 });
  for (let atS = 2; atS < 40; atS += 1) second(atS, series, [10, 100]);
  assert.deepEqual(last(), { 'process.memory.usage other': 10, 'process.memory.usage 2': 100 });
});

test('topk gives a free place to another group, and keeps ended ones in other', () => {
  const { second, last, processor, next } = createRig();
  const series = [1, 2, 3].map((pid) => cpuTime(pid));
  second(1, series, [9, 2, 1]);
  processor.consume(createEnding([series[0], series[2]], unixNs(2)));
  second(2, [series[1]], [4]);
  second(3, [series[1]], [5]);
  assert.deepEqual(last(), { 'process.cpu.time 2': 3 });
  assert.deepEqual(
    next.tables.flatMap((table) => table.ended ?? []),
    [series[0]],
  );
  const late = cpuTime(4, { startS: 3 });
  second(4, [series[1], late], [6, 1]);
  assert.deepEqual(last(), { 'process.cpu.time 2': 4, 'process.cpu.time other': 4 });
  checkTables(next.tables);
});

test('topk continues after the clock was set back', () => {
  const { second, next } = createRig();
  // As after a step of the clock, new series follow.
  second(1, [cpuTime(1, { startS: -9000 }), cpuTime(2, { startS: -9000 })], [1, 0]);
  const later = [cpuTime(1, { startS: -9000 }), cpuTime(2, { startS: -9000 })];
  for (let i = 0; i < 10; i += 1) second(-8000 + i, later, [1, i]);
  assert.deepEqual(next.tables.at(-1)?.series.map(describe), [
    'process.cpu.time other',
    'process.cpu.time 2',
  ]);
});

test('topk warns once if nothing ranks the groups', () => {
  const { second, log } = createRig({ metric: 'process.cpu.tme' });
  for (const atS of [0, 30, 61, 90]) second(atS, [cpuTime(1)], [atS]);
  assert.equal(log.lines.length, 1);
  assert.match(
    log.lines.join(),
    /Cannot rank groups: expected the metric "process.cpu.tme" with process.pid/u,
  );
});

test('check rejects a list of attributes that defines no group', () => {
  for (const group_by of [[], ['']])
    assert.deepEqual(factory.check?.(parseSettings(factory.schema, { group_by })), [
      `group_by: expected at least one name of an attribute, found ${JSON.stringify(group_by)}`,
    ]);
  assert.deepEqual(factory.check?.(parseSettings(factory.schema, {})), []);
});
