import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdleSplit } from './split.js';

test('IdleSplit treats power up to the floor as idle and the rest as dynamic', () => {
  assert.equal(new IdleSplit().apply(60, 40, 1), 40);
});

test('IdleSplit smooths the noise of windows near the refresh interval', () => {
  const split = new IdleSplit();
  assert.deepEqual(
    [0, 80, 0, 80].map((energyNj) => split.apply(energyNj, 40, 40)),
    [0, 80, 0, 80],
  );
});

test('IdleSplit carries at most two refresh intervals', () => {
  const split = new IdleSplit();
  for (let i = 0; i < 100; i++) split.apply(0, 40, 1);
  assert.equal(split.apply(100, 40, 1), 42);
});

test('IdleSplit returns whole nanojoules and loses no fraction', () => {
  const split = new IdleSplit();
  assert.deepEqual(
    [9, 9, 9, 9].map((energyNj) => split.apply(energyNj, 2.5, 10)),
    [2, 3, 2, 3],
  );
});
