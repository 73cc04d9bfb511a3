import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTables } from '../../src/model/check-tables.js';
import { createIntake } from './intake.fixture.js';
import type { Described, Point } from './request.fixture.js';

const delta = (...points: readonly Point[]): Described => ({
  name: 'd',
  kind: 'sum',
  temporality: 1,
  points,
});

test('take accumulates deltas as a counter from the start of the first one', async (t) => {
  const { send, list, collector } = createIntake(t);
  await send(delta({ start: 5n, time: 10n, int: 3 }, { start: 10n, time: 20n, int: 4 }));
  await send(delta({ start: 20n, time: 30n, int: 5 }));
  assert.equal(collector.tables[0]?.series[0]?.metric.kind, 'counter');
  checkTables(collector.tables);
  assert.deepEqual(list(), ['d 5 10 3', 'd 5 20 7', 'd 5 30 12']);
});

test('take accumulates deltas that are not monotonic, also below 0', async (t) => {
  const { send, list, collector } = createIntake(t);
  const at = (start: bigint, time: bigint, double: number) =>
    send({ ...delta({ start, time, double }), isMonotonic: false });
  await at(5n, 10n, 1.5);
  await at(10n, 20n, -2);
  assert.equal(collector.tables[0]?.series[0]?.metric.kind, 'updowncounter');
  assert.deepEqual(list(), ['d 5 10 1.5', 'd 5 20 -0.5']);
});

test('take counts nothing in a gap between deltas, and a point without a value does not change the sum', async (t) => {
  const { send, list } = createIntake(t);
  await send(delta({ start: 5n, time: 10n, int: 3 }));
  await send(delta({ start: 90n, time: 100n, int: 4 }, { start: 100n, time: 110n, flags: 1 }));
  await send(delta({ start: 110n, time: 120n, int: 1 }));
  assert.deepEqual(list(), ['d 5 10 3', 'd 5 100 7', 'd 5 110 NaN', 'd 5 120 8']);
});

test('take counts a repeated delta once, and rejects one that overlaps', async (t) => {
  const { send, list } = createIntake(t);
  await send(delta({ start: 5n, time: 10n, int: 3 }));
  const again = await send(delta({ start: 5n, time: 10n, int: 3 }, { start: 10n, time: 20n, int: 1 }));
  assert.equal(again.kind === 'taken' && again.rejected, 0);
  const overlap = await send(delta({ start: 15n, time: 25n, int: 7 }, { start: 20n, time: 30n, int: 2 }));
  assert.match(
    overlap.message,
    /^Cannot take 1 point: expected a delta that starts when the one before ended/,
  );
  assert.deepEqual(list(), ['d 5 10 3', 'd 5 20 4', 'd 5 30 6']);
});

test('take continues the sum of deltas when they are no longer integers', async (t) => {
  const [first, second, third] = [
    { start: 5n, time: 10n, int: 3 },
    { start: 10n, time: 20n, double: 0.5 },
    { start: 20n, time: 30n, int: 1 },
  ];
  const expected = ['d 5 10 3', 'end d', 'd 5 20 3.5', 'd 5 30 4.5'];
  const apart = createIntake(t);
  for (const point of [first, second, third]) await apart.send(delta(point));
  checkTables(apart.collector.tables);
  assert.deepEqual(apart.list(), expected);
  const together = createIntake(t);
  await together.send(delta(first, second, third));
  assert.deepEqual(together.list(), expected);
});

test('take treats deltas without a start as contiguous', async (t) => {
  const { send, list } = createIntake(t);
  await send(delta({ time: 10n, int: 3 }, { time: 20n, int: 4 }));
  assert.deepEqual(list(), ['d 10 10 3', 'd 10 20 7']);
});

test('take rejects a negative delta of a monotonic sum, and an infinite one', async (t) => {
  const { send, list, read } = createIntake(t);
  await send(delta({ start: 5n, time: 10n, int: -3 }, { start: 10n, time: 20n, double: Infinity }));
  const counted = await read();
  assert.equal(counted['joulemetry.otlp.rejected_points{otlp,negative}'], 1);
  assert.equal(counted['joulemetry.otlp.rejected_points{otlp,infinite}'], 1);
  assert.deepEqual(list(), []);
});

test('take starts a new series if a sender changes to cumulative', async (t) => {
  const { send, list, collector } = createIntake(t);
  await send(delta({ start: 5n, time: 10n, int: 3 }));
  await send({ ...delta({ start: 10n, time: 20n, int: 1 }), temporality: 2 });
  checkTables(collector.tables);
  assert.deepEqual(list(), ['d 5 10 3', 'end d', 'd 10 20 1']);
});
