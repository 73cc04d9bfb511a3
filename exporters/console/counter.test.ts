import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counter, Span } from './counter.js';

/** Looks at all counters, as a summary does. */
function look(span: Span, ...counters: readonly Counter[]): readonly number[] {
  for (const counter of counters) counter.look();
  span.finishLook();
  return counters.map(({ rate }) => rate);
}

test('Counter.rate is the growth between two looks per second between its readings', () => {
  const span = new Span();
  const counter = new Counter(NaN, span);
  counter.take(5, 100);
  counter.take(25, 102);
  assert.deepEqual(look(span, counter), [10]);
  counter.take(27, 103);
  counter.take(31, 106);
  assert.deepEqual(look(span, counter), [1.5]);
  assert.equal(counter.value, 31);
});

test('Counter keeps its rate, when there is no reading between two looks', () => {
  const span = new Span();
  const counter = new Counter(100, span);
  counter.take(20, 102);
  look(span, counter);
  assert.deepEqual(look(span, counter), [10]);
});

test('Counter has no rate, when it was not read twice and its start cannot be used', () => {
  const span = new Span();
  const counter = new Counter(NaN, span);
  assert.deepEqual(look(span, counter), [NaN]);
  counter.take(20, 102);
  assert.deepEqual(look(span, counter), [NaN]);
  counter.take(NaN, 103);
  assert.deepEqual(look(span, counter), [NaN]);
  counter.take(30, 104);
  assert.deepEqual(look(span, counter), [5]);
});

test('Counter created between two looks has its mean rate over the whole time between them', () => {
  const span = new Span();
  const old = new Counter(100, span);
  old.take(20, 102);
  look(span, old);
  const young = new Counter(103.9, span);
  old.take(30, 104);
  young.take(0.2, 104);
  assert.deepEqual(look(span, old, young), [5, 0.1]);
  young.take(2.2, 106);
  assert.deepEqual(look(span, old, young), [5, 1]);
});

test('Counter created during the first look has its mean rate since the others began', () => {
  const span = new Span();
  const [old, young] = [new Counter(100, span), new Counter(101.5, span)];
  old.take(20, 102);
  young.take(1, 102);
  assert.deepEqual(look(span, old, young), [10, 0.5]);
});

test('Counter that is older than its first reading does not count its initial value', () => {
  const span = new Span();
  const old = new Counter(100, span);
  old.take(20, 102);
  look(span, old);
  const found = new Counter(NaN, span);
  found.take(500, 103);
  found.take(501, 104);
  assert.deepEqual(look(span, found), [0.5]);
});

test('Counter has its mean rate since its start, when all earlier counters have ended', () => {
  const span = new Span();
  const old = new Counter(100, span);
  old.take(20, 102);
  look(span, old);
  old.end();
  const next = new Counter(3700, span);
  next.take(30, 3702);
  assert.deepEqual(look(span, next), [15]);
});
