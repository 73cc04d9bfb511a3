import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareMeans, hasDrift, summarizeSample } from './statistics.js';

test('summarise gives mean, median, minimum and the t interval, when there are several values', () => {
  const { mean, median, min, deviation = NaN, halfWidth = NaN } = summarizeSample([4, 2, 8, 6]);
  assert.deepEqual([mean, median, min], [5, 5, 2]);
  assert.equal(deviation.toFixed(4), '2.5820');
  // 3.1824 * 2.5820 / 2
  assert.equal(halfWidth.toFixed(2), '4.11');
});

test('summarise takes the middle one for the median, when their number is odd', () => {
  assert.equal(summarizeSample([9, 1, 5]).median, 5);
});

test('summarise gives no interval, when there is a single value', () => {
  const single = { mean: 3, median: 3, min: 3, deviation: undefined, halfWidth: undefined };
  assert.deepEqual(summarizeSample([3]), single);
});

test('summarise gives an interval of no width, when all values are equal', () => {
  assert.equal(summarizeSample([3, 3, 3]).halfWidth, 0);
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

// By SciPy 1.17.1: ttest_ind(values, others, equal_var=False) and its confidence_interval(0.95).
test('compareMeans gives the difference, its interval, t, degrees of freedom and p of Welch, when both scatter differently', () => {
  const found = compareMeans([9.1, 9.5, 8.7, 9.9, 9.3, 9.0, 8.8], [10.1, 9.8, 10.4, 10.0, 9.9]);
  const { difference = NaN, halfWidth = NaN, ratio, t = NaN, degrees = NaN, p = NaN } = found ?? {};
  const expected = [-1.2769696563558446, -0.43160177221558355, -4.529869753106359, 9.584804708879256];
  const close = [difference - halfWidth, difference + halfWidth, t, degrees].map(
    (value, i) => Math.abs(value / (expected[i] ?? NaN) - 1) < 1e-9,
  );
  assert.deepEqual(close, [true, true, true, true]);
  assert.ok(Math.abs(p / 0.001215574144732771 - 1) < 1e-9);
  assert.equal(ratio?.toFixed(4), '0.9149');
});

test('compareMeans needs two measurements of each', () => {
  assert.equal(compareMeans([1], [1, 2]), undefined);
  assert.equal(compareMeans([1, 2], [1]), undefined);
});

test('compareMeans has neither t nor a width, when nothing scatters', () => {
  const none = { t: undefined, degrees: undefined, halfWidth: 0 };
  const same = { ...none, difference: 0, ratio: 1, ratioInterval: [1, 1], p: 1 };
  assert.deepEqual(compareMeans([2, 2], [2, 2]), same);
  assert.deepEqual(compareMeans([3, 3], [2, 2]), {
    ...none,
    difference: 1,
    ratio: 1.5,
    ratioInterval: [1.5, 1.5],
    p: 0,
  });
  assert.equal(compareMeans([1, 2], [-1, 0])?.ratio, undefined);
});
