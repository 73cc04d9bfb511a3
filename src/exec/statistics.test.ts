import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasDrift, studentQuantile, summarise } from './statistics.js';

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

// Printed tables give three decimals, for instance NIST/SEMATECH e-Handbook, 1.3.6.7.2.
const table: readonly (readonly [degrees: number, p95: number, p975: number, p995: number])[] = [
  [1, 6.314, 12.706, 63.657],
  [2, 2.92, 4.303, 9.925],
  [3, 2.353, 3.182, 5.841],
  [4, 2.132, 2.776, 4.604],
  [5, 2.015, 2.571, 4.032],
  [9, 1.833, 2.262, 3.25],
  [10, 1.812, 2.228, 3.169],
  [29, 1.699, 2.045, 2.756],
  [30, 1.697, 2.042, 2.75],
  [100, 1.66, 1.984, 2.626],
];

test('studentQuantile gives the values of printed tables, when the degrees of freedom are few or many', () => {
  for (const [degrees, p95, p975, p995] of table) {
    const found = [0.95, 0.975, 0.995].map((p) => Number(studentQuantile(p, degrees).toFixed(3)));
    assert.deepEqual(found, [p95, p975, p995], `${degrees} degrees of freedom`);
  }
});

test('studentQuantile nears the normal distribution, when there are many degrees of freedom', () => {
  assert.equal(studentQuantile(0.975, 1_000_000).toFixed(3), '1.960');
});

test('studentQuantile is odd around one half', () => {
  assert.equal(studentQuantile(0.025, 7), -studentQuantile(0.975, 7));
  assert.ok(Math.abs(studentQuantile(0.5, 3)) < 1e-12);
});
