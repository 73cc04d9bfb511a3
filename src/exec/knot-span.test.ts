import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KnotSpan } from './knot-span.js';

function spanOf(...knots: readonly (readonly [at: number, joules: number])[]): KnotSpan {
  const span = new KnotSpan();
  for (const [at, joules] of knots) span.add(at, joules);
  return span;
}

test('KnotSpan adds the mean power of its refreshes up to the marks', () => {
  const span = spanOf([10, 100], [20, 130], [30, 140]);
  assert.equal(span.extendTo(5, 37, 10), 40 * (32 / 20));
});

test('KnotSpan adds at most a refresh interval at each mark: after that, the meter has stood still', () => {
  const span = spanOf([10, 100], [20, 120]);
  assert.equal(span.extendTo(10, 90, 10), 40);
});

test('KnotSpan has no energy with fewer than two refreshes', () => {
  assert.equal(spanOf().extendTo(0, 10, 5), undefined);
  assert.equal(spanOf([5, 1]).extendTo(0, 10, 5), undefined);
});
