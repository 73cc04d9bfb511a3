import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Knots } from './knots.js';

test('Knots finds values and knots after many were added and discarded', () => {
  const knots = new Knots();
  for (let at = 0; at < 100_000; at++) {
    knots.push(Float64Array.of(at, at * at));
    knots.forgetBefore(at - 10);
  }
  assert.equal(knots.firstAt, 99_989);
  assert.equal(knots.lastAt, 99_999);
  assert.equal(knots.findAfter(99_990.5), 99_991);
  assert.equal(knots.findAfter(99_999), NaN);
  assert.equal(knots.valueAt(99_995), 99_995 ** 2);
});

test('Knots keeps the oldest knot needed for an instant', () => {
  const knots = new Knots();
  for (const at of [0, 10, 20]) knots.push(Float64Array.of(at, at));
  knots.forgetBefore(15);
  assert.equal(knots.firstAt, 10);
  assert.equal(knots.valueAt(15), 15);
});

test('Knots has no uncertainty at a knot, and the largest in the middle between two', () => {
  const knots = new Knots();
  for (const at of [0, 10, 30]) knots.push(Float64Array.of(at, at));
  assert.deepEqual(
    [0, 5, 8, 10, 20, 30].map((at) => knots.edgeAt(at)),
    [0, 2.5, 1.6, 0, 5, 0],
  );
});

test('Knots gets coarser, not longer, when nothing is discarded', () => {
  const knots = new Knots();
  for (let at = 0; at <= 200_000; at++) knots.push(Float64Array.of(at, 3 * at));
  assert.equal(knots.firstAt, 0);
  assert.equal(knots.lastAt, 200_000);
  assert.equal(knots.valueAt(123_457), 370_371);
});
