import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Series } from '../model/series.js';
import { hwEnergy } from '../model/shared-metrics.js';
import { MarkedCounter } from './marked-counter.js';

const origin = 1_000n;
const startingAt = (at: number): Series => ({
  metric: hwEnergy,
  resource: { attributes: {} },
  attributes: {},
  start: origin + BigInt(at),
});

test('MarkedCounter interpolates between two readings if a mark lies between them', () => {
  const series = startingAt(0);
  const counter = new MarkedCounter(origin, [40, 150]);
  counter.read(series, 0, 0);
  counter.read(series, 100, 10);
  counter.read(series, 200, 30);
  // 4 J at 40; 20 J at 150.
  assert.equal(counter.between(0), 16);
});

test('MarkedCounter continues to its last reading if the second mark has not been reached', () => {
  const series = startingAt(0);
  const marks = [100];
  const counter = new MarkedCounter(origin, marks);
  counter.read(series, 100, 10);
  counter.read(series, 200, 30);
  assert.equal(counter.between(0), 20);
  marks.push(150);
  counter.read(series, 300, 60);
  assert.equal(counter.between(0), 20);
});

test('MarkedCounter counts from 0 at the start of its series if that is after the mark', () => {
  const counter = new MarkedCounter(origin, [50, 300]);
  const series = startingAt(100);
  counter.read(series, 200, 7);
  counter.read(series, 400, 7);
  assert.equal(counter.between(0), 7);
});

test('MarkedCounter adds up when a series ends and another continues', () => {
  const marks = [0, 400];
  const counter = new MarkedCounter(origin, marks);
  const [first, second] = [startingAt(0), startingAt(250)];
  counter.read(first, 0, 0);
  counter.read(first, 200, 8);
  counter.read(second, 300, 2);
  counter.read(second, 400, 4);
  assert.equal(counter.between(0), 12);
});

test('MarkedCounter ignores failed readings', () => {
  const series = startingAt(0);
  const counter = new MarkedCounter(origin, [0, 200]);
  counter.read(series, 0, 0);
  counter.read(series, 100, NaN);
  counter.read(series, 200, 6);
  assert.equal(counter.between(0), 6);
});

test('MarkedCounter reports its readings and the marks between them, in order', () => {
  const points: (readonly [number, number, boolean])[] = [];
  const counter = new MarkedCounter(origin, [50, 100], (...point) => points.push(point));
  counter.read(startingAt(0), 100, 10);
  assert.deepEqual(points, [
    [50, 5, true],
    [100, 10, true],
    [100, 10, false],
  ]);
});
