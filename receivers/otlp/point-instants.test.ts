import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Table } from '../../src/model/table.js';
import { createIntake } from './intake.fixture.js';
import { listTables, type Described, type Point } from './request.fixture.js';

const delta = (...points: readonly Point[]): Described => ({
  name: 'd',
  kind: 'sum',
  temporality: 1,
  points,
});

/** Timestamps that differ in their lower half only, or also in the higher one. */
const units = [1n, 5_000_000_000n];

const rejectedOf = (answer: object) => ('rejected' in answer ? answer.rejected : answer);

test('take accepts a time up to the last one of the model', async (t) => {
  const { send, list } = createIntake(t);
  const last = 2n ** 63n - 1n;
  assert.equal(rejectedOf(await send({ name: 'g', points: [{ time: last, double: 1 }] })), 0);
  assert.equal(rejectedOf(await send({ name: 'g', points: [{ time: last + 1n, double: 2 }] })), 1);
  assert.deepEqual(list(), [`g 0 ${last} 1`]);
});

test('take accepts a gauge whose start is later than its time: it has none', async (t) => {
  const { send, list } = createIntake(t);
  await send({ name: 'g', points: [{ time: 10n, double: 1 }] });
  await send({ name: 'g', points: [{ start: 30n, time: 20n, double: 2 }] });
  assert.deepEqual(list(), ['g 0 10 1', 'g 0 20 2']);
});

test('take continues a counter after a point that starts after its time', async (t) => {
  const { send, list } = createIntake(t);
  const sum = (start: bigint, time: bigint, int: number) =>
    send({ name: 's', kind: 'sum', points: [{ start, time, int }] });
  await sum(5n, 10n, 1);
  assert.equal(rejectedOf(await sum(30n, 20n, 2)), 1);
  assert.equal(rejectedOf(await sum(5n, 30n, 3)), 0);
  assert.deepEqual(list(), ['s 5 10 1', 's 5 30 3']);
});

test('take rejects deltas that overlap within a request and with the previous one', async (t) => {
  for (const unit of units) {
    const { send, list } = createIntake(t);
    const at = (start: number, time: number) => ({
      start: BigInt(start) * unit,
      time: BigInt(time) * unit,
      int: 1,
    });
    assert.equal(rejectedOf(await send(delta(at(5, 10), at(10, 20), at(15, 30), at(20, 40)))), 1);
    assert.equal(rejectedOf(await send(delta(at(35, 50), at(40, 50)))), 1);
    assert.deepEqual(
      list().map((line) => line.split(' ').slice(2).join(' ')),
      [10, 20, 40, 50].map((time, i) => `${BigInt(time) * unit} ${i + 1}`),
    );
  }
});

test('take rejects a delta that overlaps with one before another that comes late', async (t) => {
  const { send } = createIntake(t);
  const answer = await send(
    delta(
      { start: 10n, time: 20n, int: 1 },
      { start: 5n, time: 10n, int: 1 },
      { start: 15n, time: 30n, int: 1 },
    ),
  );
  assert.equal(rejectedOf(answer), 1);
});

test('take accepts a delta that overlaps with one whose request was refused', async (t) => {
  for (const unit of units) {
    const tables: Table[] = [];
    let hasRoom = true;
    const consume = (table: Table) => {
      if (hasRoom) tables.push(table);
      return hasRoom;
    };
    const { send } = createIntake(t, {}, {}, { consume });
    const at = (start: bigint, time: bigint) =>
      send(delta({ start: start * unit, time: time * unit, int: 1 }));
    await at(5n, 10n);
    hasRoom = false;
    assert.equal((await at(10n, 40n)).kind, 'busy');
    hasRoom = true;
    assert.equal(rejectedOf(await at(20n, 50n)), 0);
    assert.deepEqual(listTables(tables), [
      `d ${5n * unit} ${10n * unit} 1`,
      `d ${5n * unit} ${50n * unit} 2`,
    ]);
  }
});

test('a series that starts without a value does not take the type of the previous point', async (t) => {
  const { send, list } = createIntake(t);
  const attributes = { a: 1 };
  await send({
    name: 'g',
    points: [
      { time: 10n, int: 5 },
      { time: 10n, attributes },
      { time: 10n, attributes: { b: 1 }, int: 7, flags: 1 },
    ],
  });
  const points = [attributes, { b: 1 }].map((each) => ({ time: 20n, double: 1.5, attributes: each }));
  await send({ name: 'g', points });
  assert.deepEqual(list(), [
    'g 0 10 5',
    'g{"a":1} 0 10 NaN',
    'g{"b":1} 0 10 NaN',
    'g{"a":1} 0 20 1.5',
    'g{"b":1} 0 20 1.5',
  ]);
});

test('take accepts a counter of 0 and rejects an infinite one', async (t) => {
  const { send, list } = createIntake(t);
  const sum = (time: bigint, double: number) =>
    send({ name: 's', kind: 'sum', points: [{ start: 5n, time, double }] });
  assert.equal(rejectedOf(await sum(10n, 0)), 0);
  assert.equal(rejectedOf(await sum(20n, Infinity)), 1);
  assert.equal(rejectedOf(await send({ name: 'g', points: [{ time: 10n, double: -Infinity }] })), 1);
  assert.deepEqual(list(), ['s 5 10 0']);
});

test('the first value of a series that started without one determines its type', async (t) => {
  const { send, list, collector } = createIntake(t);
  const [a, b] = [{ a: 1 }, { b: 1 }];
  const at = (time: bigint, ...points: readonly Point[]) =>
    send({ name: 'g', points: points.map((point) => Object.assign({ time }, point)) });
  await at(10n, { attributes: a }, { attributes: b });
  await at(20n, { attributes: a, double: 1.5 }, { attributes: b, int: 5 });
  await at(30n, { attributes: a, int: 2 }, { attributes: b, int: 6 });
  const types = collector.tables.at(-1)?.series.map(({ metric }) => metric.valueType);
  assert.deepEqual(types, ['double', 'int']);
  assert.deepEqual(
    list().filter((line) => line.startsWith('end')),
    ['end g{"b":1}'],
  );
});
