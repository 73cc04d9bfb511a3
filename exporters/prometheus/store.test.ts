import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Metric } from '../../src/model/series.js';
import { renderLines } from './page-text.fixture.js';
import { createStore, energy, host, seriesOf } from './store.fixture.js';

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
