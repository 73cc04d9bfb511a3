import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Series } from '../model/series.js';
import { interruptTime } from '../model/usage-metrics.js';
import { InterruptTime } from './interrupt-time.js';

const createSeries = (): Series => ({
  metric: interruptTime,
  resource: { attributes: {} },
  attributes: {},
  start: 0n,
});

test('InterruptTime counts what grew since the last boundary, from the first reading on', () => {
  const time = new InterruptTime();
  const series = createSeries();
  time.read(series, 5);
  assert.equal(time.take(), 0);
  time.read(series, 5.25);
  time.read(series, 5.5);
  assert.equal(time.take(), 5e8);
  assert.equal(time.take(), 0);
});

test('InterruptTime counts no decrease, no reading that is not finite, and no growth between two counters', () => {
  const time = new InterruptTime();
  const series = createSeries();
  for (const seconds of [2, 1, NaN, Infinity, 2, 3]) time.read(series, seconds);
  time.read(createSeries(), 100);
  assert.equal(time.take(), 1e9);
});
