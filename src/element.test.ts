import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elementAt } from './element.js';

test('elementAt gives the element, also where that is 0, NaN, empty or null', () => {
  assert.equal(elementAt(['a', 'b'], 1), 'b');
  assert.equal(elementAt(Float64Array.of(1, 0), 1), 0);
  assert.equal(elementAt([NaN], 0), NaN);
  assert.equal(elementAt(['', null], 0), '');
  assert.equal(elementAt(['', null], 1), null);
});

test('elementAt throws where there is none, with the index and the length', () => {
  for (const index of [2, -1, 0.5, NaN]) {
    assert.throws(
      () => elementAt(['a', 'b'], index),
      new RangeError(`Cannot read an element of a list: expected an index below 2, found ${index}`),
    );
  }
});
