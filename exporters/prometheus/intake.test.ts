import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { slices } from '../../src/linux/slices.js';
import type { Attributes, Metric, Series } from '../../src/model/series.js';
import { createEnding, createRow, type Table } from '../../src/model/table.js';
import { Intake } from './intake.js';
import { renderLines } from './page-text.fixture.js';
import { SeriesStore } from './store.js';

const load: Metric = { name: 'load', unit: '', description: '', kind: 'gauge', valueType: 'double' };

function seriesOf(attributes: Attributes): Series {
  return { metric: load, resource: { attributes: {} }, attributes, start: 0n };
}

const many = Array.from({ length: 1000 }, (_, i) => seriesOf({ id: i }));
const fill = (series: readonly Series[], value: number): Table =>
  createRow(series, 0n, new Float64Array(series.length).fill(value));

function createIntake(endedForMs = 0) {
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const store = new SeriesStore({ identityLabels: [], host: {}, common: {}, endedForMs, warn });
  const lines = (nowMs = 0) => renderLines(store.takeSnapshot(nowMs));
  return { intake: new Intake(store, warn), store, lines, warnings };
}

test('Intake takes a table with few new series immediately', () => {
  const { intake, lines } = createIntake();
  intake.take(fill(many.slice(0, 3), 1), 0);
  assert.equal(intake.settled, undefined);
  assert.deepEqual(lines(), ['load{id="0"} 1', 'load{id="1"} 1', 'load{id="2"} 1']);
});

test('Intake holds tables behind one with many new series, and takes them in order', async () => {
  const { intake, lines } = createIntake();
  intake.take(fill(many, 1), 0);
  assert.ok(intake.settled);
  intake.take(fill(many, 2), 0);
  intake.take(createEnding(many.slice(2), 0n), 0);
  intake.take(fill([seriesOf({ id: 'new' })], 3), 0);
  await intake.settled;
  assert.deepEqual(lines(), ['load{id="0"} 2', 'load{id="1"} 2', 'load{id="new"} 3']);
  intake.take(fill(many, 4), 0);
  assert.equal(intake.settled, undefined, 'it knows these series');
});

test('Intake holds tables behind one that ends many series, and while these are removed', async () => {
  const { intake, store, lines } = createIntake(1000);
  intake.take(fill(many, 1), 0);
  await intake.settled;
  intake.take(createEnding(many.slice(1), 0n), 0);
  assert.ok(intake.settled, 'the end of many');
  await intake.settled;
  assert.equal(lines(500).length, 1000);
  assert.equal(store.isSweepLong(500), false, 'nothing is to be dropped yet');
  const [first] = many;
  assert.ok(first);
  intake.take(createEnding([first], 0n), 10_000);
  assert.ok(intake.settled, 'an end of one, and many to be dropped');
  intake.take(fill([seriesOf({ id: 'new' })], 3), 10_000);
  await intake.settled;
  assert.deepEqual(lines(10_000), ['load{id="0"} 1', 'load{id="new"} 3']);
});

test('Intake removes many series before a page is created', async () => {
  const { intake, store, lines } = createIntake(1000);
  intake.take({ ...fill(many, 1), ended: many }, 0);
  await intake.settled;
  intake.sweep(10_000);
  assert.ok(intake.settled);
  await intake.settled;
  assert.ok(!store.isSweepLong(10_000));
  assert.deepEqual(lines(10_000), []);
});

test('Intake continues with the next table if one cannot be taken', async () => {
  const { intake, lines, warnings } = createIntake();
  const bad = {
    ...seriesOf({}),
    get attributes(): Attributes {
      throw new Error('no luck');
    },
  };
  intake.take(fill([...many.slice(0, 200), bad], 1), 0);
  intake.take(fill(many.slice(0, 1), 2), 0);
  await intake.settled;
  assert.deepEqual(warnings, ['Cannot show a table: no luck']);
  assert.deepEqual(lines(), ['load{id="0"} 2']);
});

test('Intake yields while it takes a table with many new series', async () => {
  const { intake, lines } = createIntake();
  const series = Array.from({ length: 20_000 }, (_, i) => seriesOf({ id: i, name: `series-${i}` }));
  const table = fill(series, 1);
  await nextTurn();
  intake.take(table, 0);
  assert.equal(slices.isOver, false, 'what came before took its time: this begins in the next turn');
  let turns = 0;
  while (intake.settled !== undefined) {
    turns += 1;
    await nextTurn();
  }
  assert.ok(turns > 3, `${turns} turns`);
  assert.equal(lines().length, 20_000);
});

test('Intake takes no table twice', async () => {
  const { intake, lines } = createIntake();
  intake.take(fill(many, 1), 0);
  await intake.settled;
  intake.take(fill(many.slice(0, 2), 2), 0);
  const others = Array.from({ length: 1000 }, (_, i) => seriesOf({ other: i }));
  intake.take(fill(others, 3), 0);
  await intake.settled;
  assert.deepEqual(lines().slice(0, 3), ['load{id="0"} 2', 'load{id="1"} 2', 'load{id="2"} 1']);
});
