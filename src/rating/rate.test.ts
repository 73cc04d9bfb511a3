import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConstantRate, meanRate, StepRate } from './rate.js';

function createSteps(): StepRate {
  const rate = new StepRate();
  rate.replace([
    { at: 300, factor: 8 },
    { at: 100, factor: 2 },
    { at: 200, factor: 4 },
  ]);
  return rate;
}

test('StepRate holds from each point to the next, and before the first one', () => {
  const rate = createSteps();
  const found = [0, 99, 100, 199, 200, 299, 300, 1e18].map((ns) => [rate.at(ns), rate.until]);
  assert.deepEqual(found, [
    [2, 200],
    [2, 200],
    [2, 200],
    [2, 200],
    [4, 300],
    [4, 300],
    [8, Infinity],
    [8, Infinity],
  ]);
  assert.equal(rate.latestAt, 300);
});

test('StepRate knows nothing without points, and ignores one that is not later', () => {
  const rate = new StepRate();
  assert.equal(rate.at(5), NaN);
  assert.equal(rate.latestAt, -Infinity);
  rate.add({ at: 5, factor: 1 });
  rate.add({ at: 5, factor: 2 });
  rate.add({ at: 4, factor: 3 });
  assert.equal(rate.at(5), 1);
});

test('StepRate keeps the latest of very many points', () => {
  const rate = new StepRate();
  for (let i = 0; i < 20_000; i++) rate.add({ at: i, factor: i });
  assert.equal(rate.latestAt, 19_999);
  assert.equal(rate.at(19_998.5), 19_998);
  assert.equal(rate.at(0), 20_000 - 16_384);
});

test('meanRate weights each piece by its time', () => {
  assert.equal(meanRate(createSteps(), 150, 350), (2 * 50 + 4 * 100 + 8 * 50) / 200);
  assert.equal(meanRate(createSteps(), 210, 220), 4);
  assert.equal(meanRate(createConstantRate(3), 0, 1e18), 3);
});

test('meanRate of no time is the rate of its instant, and that of too many pieces the last one', () => {
  assert.equal(meanRate(createSteps(), 200, 200), 4);
  assert.equal(meanRate(createSteps(), 250, 150), 2);
  const rate = new StepRate();
  rate.replace(Array.from({ length: 12_000 }, (_, i) => ({ at: i, factor: i })));
  assert.equal(meanRate(rate, 0, 11_999), 11_999);
});
