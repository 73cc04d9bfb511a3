import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counter } from './counter.js';

test('look divides by the time between the readings, not by that between the looks', () => {
  const counter = new Counter(100);
  counter.take(10, 102);
  assert.equal(counter.look(), 5);
  counter.take(11, 103);
  counter.take(13, 107);
  assert.equal(counter.look(), 0.6);
});

test('look repeats itself, when there is no new reading', () => {
  const counter = new Counter(0);
  counter.take(10, 2);
  counter.look();
  assert.equal(counter.look(), 5);
});

test('look finds nothing, when there is only the reading at the start', () => {
  const counter = new Counter(100);
  counter.take(0, 100);
  assert.equal(counter.look(), NaN);
});

test('take skips gaps', () => {
  const counter = new Counter(0);
  counter.take(10, 2);
  counter.take(NaN, 3);
  assert.equal(counter.value, 10);
  assert.equal(counter.look(), 5);
});
