import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../src/testing/fixed-seed.fixture.js';
import { holdsFor } from '../../src/testing/property.fixture.js';
import { Readings } from './quantile.js';

function quantileOf(values: readonly number[], quantile: number): number {
  const readings = new Readings(1000);
  values.forEach((_, i) => readings.add(Float64Array.from(values), i));
  return take(readings, quantile);
}

function take(readings: Readings, quantile: number): number {
  const values = new Float64Array(2);
  readings.writeQuantile(quantile, { values, cell: 1 });
  return values[1];
}

test('Readings gives the quantiles that numpy gives', () => {
  const values = [7, 1, 3, 2];
  assert.deepEqual(
    [0, 0.25, 0.5, 0.9, 1].map((quantile) => quantileOf(values, quantile)),
    [1, 1.75, 2.5, 5.800000000000001, 7],
  );
  assert.equal(quantileOf([5], 0.99), 5);
  assert.equal(quantileOf([], 0.5), NaN);
});

test('Readings gives the same as sorting, of readings in any order and with equal ones', () => {
  const values = fc.array(
    fc.oneof(fc.integer({ min: 0, max: 5 }), fc.double({ noNaN: true, min: -1e6, max: 1e6 })),
    {
      minLength: 1,
      maxLength: 100,
    },
  );
  holdsFor(fc.tuple(values, fc.double({ min: 0, max: 1, noNaN: true })), ([given, quantile]) => {
    const sorted = given.toSorted((a, b) => a - b);
    const rank = quantile * (sorted.length - 1);
    const lower = sorted[Math.floor(rank)];
    const upper = sorted[Math.ceil(rank)];
    const expected = lower + (upper - lower) * (rank - Math.floor(rank));
    assert.ok(Math.abs(quantileOf(given, quantile) - expected) <= 1e-9, `${quantileOf(given, quantile)}`);
  });
});

test('Readings gives several quantiles one after another, and those of the next window', () => {
  const readings = new Readings(1000);
  const values = Float64Array.from({ length: 999 }, (_, i) => (i * 7919) % 999);
  values.forEach((_, i) => readings.add(values, i));
  assert.deepEqual([take(readings, 1), take(readings, 0), take(readings, 0.5)], [998, 0, 499]);
  readings.clear();
  readings.add(Float64Array.of(3), 0);
  assert.equal(take(readings, 0.5), 3);
});
