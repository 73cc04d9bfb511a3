import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KnotFinder, type Finding } from './knot-finder.js';

function findAll(readings: readonly (readonly [number, number])[], finder = new KnotFinder()): Finding[] {
  return readings.map(([at, value]) => finder.read(Float64Array.of(at, value)));
}

test('KnotFinder finds a knot in every reading that changed', () => {
  const readings = [
    [0, 0],
    [10, 100],
    [20, 140],
  ] as const;
  assert.deepEqual(findAll(readings), ['knot', 'knot', 'knot']);
});

test('KnotFinder starts at the first change of a meter that is slower than its readings', () => {
  const finder = new KnotFinder();
  const readings = [
    [3, 100],
    [7, 100],
    [11, 200],
    [15, 200],
    [19, 200],
    [23, 300],
  ] as const;
  assert.deepEqual(findAll(readings, finder), [
    'knot',
    'nothing',
    'first knot',
    'nothing',
    'nothing',
    'knot',
  ]);
  assert.equal(finder.refreshNs, 12);
});

test('KnotFinder starts at the second reading when only the third shows that the meter is slow', () => {
  const finder = new KnotFinder();
  const early = [
    [0, 0],
    [1, 500],
  ] as const;
  assert.deepEqual(findAll(early, finder), ['knot', 'knot']);
  assert.equal(finder.isBegun, false);
  assert.equal(finder.read(Float64Array.of(2, 500)), 'late');
  assert.equal(finder.isBegun, true);
});

test('KnotFinder treats a counter as unchanged after twice the time between two changes', () => {
  const readings = [
    [0, 0],
    [10, 10],
    [20, 20],
    [39, 20],
    [40, 20],
    [50, 20],
    [60, 80],
  ] as const;
  assert.deepEqual(findAll(readings), ['knot', 'knot', 'knot', 'nothing', 'still', 'still', 'knot']);
});

test('KnotFinder ignores a repeated reading and one that fell', () => {
  const finder = new KnotFinder();
  const readings = [
    [0, 0],
    [10, 100],
    [10, 200],
    [20, 50],
    [30, 140],
  ] as const;
  assert.deepEqual(findAll(readings, finder), ['knot', 'knot', 'nothing', 'fallen', 'knot']);
  assert.equal(finder.value, 140);
});

test('KnotFinder learns the time between two changes of any meter, and the refresh interval only of a slow one', () => {
  const [fast, slow] = [new KnotFinder(), new KnotFinder()];
  assert.equal(fast.changeNs, 0);
  for (let at = 0; at < 100; at++) {
    fast.read(Float64Array.of(at, at));
    slow.read(Float64Array.of(at, 5 * Math.floor(at / 5)));
  }
  assert.deepEqual([fast.changeNs, fast.refreshNs], [1, 0]);
  assert.deepEqual([slow.changeNs, slow.refreshNs], [5, 5]);
});

/** The lag of a meter with this refresh interval and reading interval. */
function lagOf(readNs: number, refreshNs: number): number {
  const finder = new KnotFinder();
  for (let at = 0; at < 100 * refreshNs; at += readNs) {
    finder.read(Float64Array.of(at, Math.floor(at / refreshNs)));
  }
  return finder.lagNs;
}

test('KnotFinder returns the maximum age of a change: a refresh, of 1 ms if every reading is a change, or a reading', () => {
  assert.equal(new KnotFinder().lagNs, 0);
  assert.equal(lagOf(1e5, 1e5), 1e5);
  assert.equal(lagOf(1e9, 1e9), 1e6);
  assert.equal(lagOf(1e7, 1e8), 1e7);
});
