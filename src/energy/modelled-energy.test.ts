import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModelledEnergy } from './modelled-energy.js';

const second = 1e9;
const model = { idleWatts: 2, maxWatts: 10 };

/** Two units, with a reading of 0 at 5 s. */
function create(): ModelledEnergy {
  const energy = new ModelledEnergy();
  energy.hold(model, 2);
  assert.equal(energy.update(7 * second, 5 * second), 0);
  return energy;
}

test('ModelledEnergy is linear between idle and full use of all units', () => {
  const energy = create();
  assert.equal(energy.update(7 * second, 6 * second), 2);
  assert.equal(energy.update(8 * second, 7 * second), 2 + 6);
  assert.equal(energy.update(10 * second, 8 * second), 2 + 6 + 10);
});

test('ModelledEnergy applies a new model to the time since the last reading', () => {
  const energy = create();
  energy.update(8 * second, 6 * second);
  energy.hold({ idleWatts: 100, maxWatts: 200 }, 1);
  assert.equal(energy.update(8.5 * second, 7 * second), 6 + 150);
});

test('ModelledEnergy has no value without a reading, and the next one covers all the time', () => {
  const energy = create();
  assert.equal(energy.update(NaN, 6 * second), NaN);
  assert.equal(energy.update(9 * second, 7 * second), 12);
});

test('ModelledEnergy counts use from a reading that is lower than the last one', () => {
  const energy = create();
  energy.update(8 * second, 6 * second);
  assert.equal(energy.update(1 * second, 7 * second), 6 + 2);
  assert.equal(energy.update(2 * second, 8 * second), 6 + 2 + 6);
});

test('ModelledEnergy does not change with a reading that is not later than the last one', () => {
  const energy = create();
  energy.update(8 * second, 6 * second);
  assert.equal(energy.update(9 * second, 6 * second), 6);
  assert.equal(energy.update(9 * second, 5.5 * second), 6);
});
