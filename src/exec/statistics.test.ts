import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasDrift, summarise } from './statistics.js';

test('summarise gives mean, median, minimum and the t interval, when there are several values', () => {
  const { mean, median, min, deviation = NaN, halfWidth = NaN } = summarise([4, 2, 8, 6]);
  assert.deepEqual([mean, median, min], [5, 5, 2]);
  assert.equal(deviation.toFixed(4), '2.5820');
  // 3.1824 * 2.5820 / 2
  assert.equal(halfWidth.toFixed(2), '4.11');
});

test('summarise takes the middle one for the median, when their number is odd', () => {
  assert.equal(summarise([9, 1, 5]).median, 5);
});

test('summarise gives no interval, when there is a single value', () => {
  const single = { mean: 3, median: 3, min: 3, deviation: undefined, halfWidth: undefined };
  assert.deepEqual(summarise([3]), single);
});

test('summarise gives an interval of no width, when all values are equal', () => {
  assert.equal(summarise([3, 3, 3]).halfWidth, 0);
});

test('hasDrift sees a trend, when the values grow', () => {
  assert.equal(hasDrift([1, 2.1, 2.9, 4.2, 5]), true);
  assert.equal(hasDrift([5, 4.2, 2.9, 2.1, 1]), true);
});

test('hasDrift sees none, when the values scatter, stay, or are few', () => {
  assert.equal(hasDrift([1, 3, 0.5, 2.7, 1.4, 2.2]), false);
  assert.equal(hasDrift([2, 2, 2, 2, 2]), false);
  assert.equal(hasDrift([1, 2, 3]), false);
});
