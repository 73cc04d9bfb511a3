import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Metric, Series } from '../../src/model/series.js';
import { createEnding, createRow } from '../../src/model/table.js';
import { createStore, energy, seriesOf } from './store.fixture.js';

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
