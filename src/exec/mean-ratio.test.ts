import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../testing/random.fixture.js';
import { measureMean, ratioInterval } from './mean-ratio.js';
import { compareMeans } from './statistics.js';

const measure = (values: readonly number[], others: readonly number[]) =>
  ratioInterval(measureMean(values), measureMean(others));

test('ratioInterval has no width, when nothing scatters', () => {
  assert.deepEqual(measure([3, 3, 3], [2, 2]), [1.5, 1.5]);
  assert.deepEqual(measure([0, 0, 0], [2, 3, 4]), [0, 0]);
});

test('ratioInterval is that of the mean, when only that scatters', () => {
  const values = [4, 2, 8, 6];
  const [low = NaN, high = NaN] = measure(values, [10, 10]) ?? [];
  // The t interval of the mean: 5 +- 3.1824 * 2.5820 / 2.
  assert.deepEqual([low.toFixed(4), high.toFixed(4)], ['0.0891', '0.9109']);
});

test('ratioInterval has no end, when the other mean may be 0', () => {
  assert.equal(measure([5, 6, 5.5], [0.1, 2, -1.5]), undefined);
});

/** Normally distributed numbers, by the method of Box and Muller. */
function createNormal(seed: number): (mean: number, deviation: number) => number {
  const random = createRandom(seed);
  return (mean, deviation) => {
    const radius = Math.sqrt(-2 * Math.log(1 - random.fraction()));
    return mean + deviation * radius * Math.cos(2 * Math.PI * random.fraction());
  };
}

test('ratioInterval contains the true ratio in 95 % of comparisons, and 1 where p is at least 0.05', () => {
  const draw = createNormal(7);
  const comparisons = 1000;
  let covered = 0;
  for (let i = 0; i < comparisons; i++) {
    const [count, spread] = [3 + (i % 8), 0.1 + 0.2 * (i % 5)];
    const values = Array.from({ length: count }, () => draw(12, 2 * spread));
    const others = Array.from({ length: 10 }, () => draw(10, spread));
    const [low = NaN, high = NaN] = measure(values, others) ?? [];
    if (low <= 1.2 && 1.2 <= high) covered += 1;
    const { p = NaN } = compareMeans(values, others) ?? {};
    assert.equal(low <= 1 && 1 <= high, p >= 0.05);
  }
  assert.ok(covered >= 0.93 * comparisons && covered <= 0.97 * comparisons, `${covered}`);
});
