import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attributes, Metric, Series } from '../../src/model/series.js';
import { createEnding, createRow } from '../../src/model/table.js';
import { renderLines } from './page-text.fixture.js';
import { SeriesStore } from './store.js';

const energy: Metric = {
  name: 'process.energy',
  unit: 'J',
  description: '',
  kind: 'counter',
  valueType: 'double',
};
const host = { 'host.name': 'here' };

function seriesOf(resource: Attributes, attributes: Attributes = {}, metric: Metric = energy): Series {
  return { metric, resource: { attributes: resource }, attributes, start: 0n };
}

function createStore(endedForMs = 60_000) {
  const warnings: string[] = [];
  const store = new SeriesStore({
    identityLabels: ['process.pid', 'process.executable.name', 'service.name', 'host.name'],
    host,
    common: { 'service.name': 'joulemetry' },
    endedForMs,
    warn: (message) => warnings.push(message),
  });
  const take = (series: readonly Series[], values: readonly number[], ended: readonly Series[] = []) =>
    store.take({ ...createRow(series, 0n, Float64Array.from(values)), ended }, 0);
  const lines = (nowMs = 0) => renderLines(store.takeSnapshot(nowMs));
  return { store, take, lines, warnings };
}

test('take keeps the last row of a table with several', () => {
  const { store, lines } = createStore();
  const series = [seriesOf({}, { 'hw.id': 'a' }), seriesOf({}, { 'hw.id': 'b' })];
  const values = Float64Array.of(1, 2, 3, 4);
  store.take({ series, epoch: 0n, offsets: Float64Array.of(0, 1), values }, 0);
  assert.deepEqual(lines(), [
    'process_energy_joules_total{hw_id="a"} 3',
    'process_energy_joules_total{hw_id="b"} 4',
  ]);
});

test('take leaves a series out if its last reading is a gap', () => {
  const { take, lines } = createStore();
  const series = [seriesOf({})];
  take(series, [1]);
  take(series, [NaN]);
  assert.deepEqual(lines(), []);
  take(series, [2]);
  assert.deepEqual(lines(), ['process_energy_joules_total 2']);
});

test('take makes labels of the allowed resource attributes, except those of the machine', () => {
  const { take, lines } = createStore();
  const process = { ...host, 'process.pid': 7, 'process.executable.name': 'node', 'process.owner': 'root' };
  take([seriesOf(process), seriesOf({ 'host.name': 'there' })], [1, 2]);
  assert.deepEqual(lines(), [
    'process_energy_joules_total{process_executable_name="node",process_pid="7"} 1',
    'process_energy_joules_total{host_name="there"} 2',
  ]);
});

test('take prefers the attribute of the series if its resource has one of the same name', () => {
  const { take, lines } = createStore();
  take([seriesOf({ 'process.pid': 7 }, { 'process.pid': 8 })], [1]);
  assert.deepEqual(lines(), ['process_energy_joules_total{process_pid="8"} 1']);
});

test('take adds the attributes that differ if two live series have the same allowed ones', () => {
  const { take, lines } = createStore();
  const series = [
    seriesOf({ 'process.pid': 7, 'process.creation.time': 'x', 'process.owner': 'root' }),
    seriesOf({ 'process.pid': 7, 'process.creation.time': 'y', 'process.owner': 'root' }),
    seriesOf({ 'process.pid': 7, 'process.creation.time': 'y', 'process.owner': 'me' }),
  ];
  take(series, [1, 2, 3]);
  assert.deepEqual(lines(), [
    'process_energy_joules_total{process_pid="7"} 1',
    'process_energy_joules_total{process_creation_time="y",process_pid="7"} 2',
    'process_energy_joules_total{process_creation_time="y",process_owner="me",process_pid="7"} 3',
  ]);
});

test('take replaces an ended series when a new one has its labels', () => {
  const { take, lines } = createStore();
  const old = seriesOf({ 'process.pid': 7, 'process.creation.time': 'x' });
  const young = seriesOf({ 'process.pid': 7, 'process.creation.time': 'y' });
  take([old], [100]);
  take([young], [1], [old]);
  assert.deepEqual(lines(), ['process_energy_joules_total{process_pid="7"} 1']);
  assert.deepEqual(lines(1_000_000), ['process_energy_joules_total{process_pid="7"} 1'], 'it lives');
});

test('take continues with the same line when a counter starts again', () => {
  const { take, lines } = createStore();
  const [old, again] = [seriesOf({ 'process.pid': 7 }), seriesOf({ 'process.pid': 7 })];
  take([old], [100]);
  take([again], [1]);
  take([], [], [old]);
  assert.deepEqual(lines(), ['process_energy_joules_total{process_pid="7"} 1']);
  assert.deepEqual(lines(1_000_000), ['process_energy_joules_total{process_pid="7"} 1']);
});

test('take continues with the same line when a counter starts again after its end', () => {
  const { take, lines } = createStore();
  const [old, again] = [seriesOf({ 'process.pid': 7 }), seriesOf({ 'process.pid': 7 })];
  take([old], [100]);
  take([], [], [old]);
  take([again], [1]);
  assert.deepEqual(lines(1_000_000), ['process_energy_joules_total{process_pid="7"} 1']);
});

test('take keeps labels in use when the series that had them before expires', () => {
  const { take, lines } = createStore();
  const [old, young, other] = ['x', 'y', 'z'].map((time) =>
    seriesOf({ 'process.pid': 7, 'process.creation.time': time }),
  );
  take([old], [100]);
  take([young], [1], [old]);
  lines(1_000_000);
  take([other], [2]);
  assert.deepEqual(lines(1_000_000), [
    'process_energy_joules_total{process_pid="7"} 1',
    'process_energy_joules_total{process_creation_time="z",process_pid="7"} 2',
  ]);
});

test('take warns once and leaves the series out if live series have the same labels after escaping', () => {
  const { take, lines, warnings } = createStore();
  take([seriesOf({}, { a: '1' }), seriesOf({}, { a: 1 }), seriesOf({}, { a: 1, b: '' })], [1, 2, 3]);
  assert.deepEqual(lines(), ['process_energy_joules_total{a="1"} 1']);
  assert.deepEqual(warnings, [
    'Cannot expose a series of "process.energy": expected labels of its own, found another one with process_energy_joules_total{a="1"}',
  ]);
});

test('take rejects the later metric and warns once if kinds or units differ', () => {
  const { take, lines, warnings } = createStore();
  const inMillijoules: Metric = { ...energy, name: 'process_energy_joules', unit: '' };
  take([seriesOf({})], [1]);
  take([seriesOf({}, { a: 'x' }, inMillijoules)], [2]);
  take([seriesOf({}, { a: 'y' }, { ...inMillijoules })], [3]);
  assert.deepEqual(lines(), ['process_energy_joules_total 1']);
  assert.deepEqual(warnings, [
    'Cannot expose the counter "process_energy_joules" in "" as "process_energy_joules_total": the counter "process.energy" in "J" has this name',
  ]);
});

test('take accepts another object for the same metric', () => {
  const { take, lines } = createStore();
  take([seriesOf({}, { a: 'x' })], [1]);
  take([seriesOf({}, { a: 'y' }, { ...energy, description: 'Another text' })], [2]);
  assert.equal(lines().length, 2);
});

test('takeSnapshot shows an ended gauge only until its metric has a later reading, and counters longer', () => {
  const { store, lines } = createStore();
  const power: Metric = { ...energy, name: 'process.power', unit: 'W', kind: 'gauge' };
  const [first, second] = [power, power].map((metric, pid) => seriesOf({ 'process.pid': pid }, {}, metric));
  const counter = seriesOf({ 'process.pid': 0 });
  assert.ok(first && second);
  const second1 = 1_000_000_000n;
  const read = (at: bigint, series: readonly Series[], values: readonly number[]) =>
    store.take(createRow(series, at, Float64Array.from(values)), 0);
  read(second1, [first, second, counter], [1, 2, 3]);
  store.take(createEnding([first, counter], second1), 0);
  const still = 'process_energy_joules_total{process_pid="0"} 3';
  const [gone, lives] = ['process_power_watts{process_pid="0"} 1', 'process_power_watts{process_pid="1"} 2'];
  assert.deepEqual(lines(), [still, gone, lives]);
  read(second1, [second], [2]);
  assert.deepEqual(lines(), [still, gone, lives]);
  read(2n * second1, [second], [2]);
  assert.deepEqual(lines(), [still, lives]);
  // The same process again.
  read(3n * second1, [first], [1]);
  assert.deepEqual(lines(), [still, gone, lives]);
});

test('takeSnapshot shows ended series for a minimum time and for two scrapes', () => {
  const { take, store, lines } = createStore(60_000);
  const series = [seriesOf({ 'process.pid': 7 })];
  take(series, [5]);
  store.take(createEnding(series, 0n), 0);
  assert.equal(lines(59_999).length, 1);
  assert.equal(lines(60_000).length, 0);

  take([seriesOf({ 'process.pid': 8 })], [5]);
  const slow = createStore(1000);
  slow.take(series, [5]);
  slow.lines(0);
  slow.lines(30_000);
  slow.store.take(createEnding(series, 0n), 31_000);
  assert.equal(slow.lines(60_000).length, 1);
  assert.equal(slow.lines(90_000).length, 1);
  assert.equal(slow.lines(120_000).length, 0);
});

test('takeSnapshot does not wait for a second scrape if scrapes have stopped', () => {
  const { store, take, lines } = createStore(1000);
  const series = [seriesOf({ 'process.pid': 7 })];
  take(series, [5]);
  store.takeSnapshot(0);
  store.takeSnapshot(100_000);
  store.take(createEnding(series, 0n), 290_000);
  assert.deepEqual(lines(310_000), []);
});

test('take keeps ended series for at most some minutes if scrapes are hours apart', () => {
  const { store, take, lines } = createStore(1000);
  const series = [seriesOf({ 'process.pid': 7 })];
  take(series, [5]);
  store.takeSnapshot(0);
  store.takeSnapshot(7_200_000);
  store.take(createEnding(series, 0n), 7_200_000);
  assert.deepEqual(lines(7_801_001), []);
});

test('take removes ended series if there are no scrapes at all', () => {
  const { store, take, lines } = createStore(1000);
  const [one, other] = [7, 8].map((pid) => seriesOf({ 'process.pid': pid }));
  take([one, other], [5, 5]);
  store.take(createEnding([one], 0n), 0);
  store.take(createEnding([other], 0n), 2000);
  assert.deepEqual(lines(2000), ['process_energy_joules_total{process_pid="8"} 5']);
});

test('take ends a series that started and ended in the same table', () => {
  const { store, lines } = createStore(1000);
  const series = [seriesOf({ 'process.pid': 7 })];
  store.take({ ...createRow(series, 0n, Float64Array.of(3)), ended: series }, 0);
  assert.equal(lines(500).length, 1);
  assert.equal(lines(2000).length, 0);
});

test('takeSnapshot shows the resource of the machine, not of its processes or other machines', () => {
  const { take, store } = createStore();
  assert.deepEqual(store.takeSnapshot(0).host, host);
  take([seriesOf({ ...host, 'host.id': 'h', 'process.pid': 7 })], [1]);
  take([seriesOf({ 'host.name': 'there' })], [1]);
  take([seriesOf({ ...host, 'host.id': 'h' })], [1]);
  take([seriesOf({ ...host, 'host.id': 'h', 'container.name': 'x' })], [1]);
  assert.deepEqual(store.takeSnapshot(0).host, { ...host, 'host.id': 'h' });
});

test('take makes a label of a service, but not of that of the collector, which is on all tables', () => {
  const { store, take, lines } = createStore();
  const own = { ...host, 'service.name': 'joulemetry' };
  const services = ['cart', 'none'].map((name) => seriesOf({ ...own, 'service.name': name }));
  take([...services, seriesOf({ ...own, 'process.pid': 7 })], [1, 2, 3]);
  take([seriesOf(own, { 'hw.id': 'a' })], [4]);
  assert.deepEqual(
    lines().map((line) => line.replace(/^\w+/, '')),
    ['{service_name="cart"} 1', '{service_name="none"} 2', '{process_pid="7"} 3', '{hw_id="a"} 4'],
  );
  assert.deepEqual(store.takeSnapshot(0).host, own);
});

test('takeSnapshot is not changed by later tables', () => {
  const { take, store } = createStore();
  const series = [seriesOf({})];
  take(series, [1]);
  const snapshot = store.takeSnapshot(0);
  take(series, [2]);
  assert.deepEqual(renderLines(snapshot), ['process_energy_joules_total 1']);
});

test('takeSnapshot warns once with the remedy if the page is large', () => {
  const { take, lines, warnings } = createStore();
  const series = Array.from({ length: 10_001 }, (_, i) => seriesOf({}, { 'hw.id': `${i}` }));
  take(
    series.slice(1),
    series.slice(1).map(() => 1),
  );
  lines();
  assert.deepEqual(warnings, []);
  take(
    series,
    series.map(() => 1),
  );
  lines();
  lines();
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /^The page has 10001 lines, expected at most 10000; limit the processes/);
});

test('takeSnapshot keeps neither lines nor blocks of expired series, for any number of them', () => {
  const { store, take } = createStore(0);
  const stays = seriesOf({ 'process.pid': 1 });
  take([stays], [1]);
  for (let pid = 100; pid < 2100; pid++) {
    const one = seriesOf({ 'process.pid': pid });
    // Some end in the table in which they start, others slightly later.
    take([stays, one], [1, pid], pid % 3 === 0 ? [one] : []);
    store.take(createEnding([one], 0n), pid);
  }
  const { values, families } = store.takeSnapshot(1_000_000);
  assert.deepEqual([...values], [1]);
  assert.deepEqual(
    families.map(({ blocks }) => blocks.map(({ entries }) => entries.length)),
    [[1]],
  );
});
