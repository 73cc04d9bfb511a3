import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviationOf, meanOf, medianOf } from './statistics.js';

test('meanOf adds up and divides by the count', () => {
  assert.equal(meanOf([1, 2, 6]), 3);
});

test('medianOf is the number in the middle, or the mean of two', () => {
  assert.equal(medianOf([9, 1, 5]), 5);
  assert.equal(medianOf([10, 9, 1, 5]), 7);
  assert.equal(medianOf([4]), 4);
});

test('deviationOf is that of a sample, which one number does not have', () => {
  assert.equal(deviationOf([2, 4, 4, 4, 5, 5, 7, 9]), Math.sqrt(32 / 7));
  assert.ok(Number.isNaN(deviationOf([3])));
});
