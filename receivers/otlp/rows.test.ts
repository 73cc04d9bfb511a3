import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../src/testing/fixed-seed.fixture.js';
import { holdsFor } from '../../src/testing/property.fixture.js';
import type { LiveSeries } from './live-series.js';
import { Numbers } from './numbers.js';
import { Rows } from './rows.js';

interface Added {
  readonly high: number;
  readonly low: number;
}

/** Timestamps of rows and the values of their points. */
function listRows(rows: Rows): readonly (readonly [high: number, low: number, values: readonly number[]])[] {
  return rows.list().map(({ high, low, first }) => {
    const values: number[] = [];
    for (let i = first; i >= 0; i = rows.next[i] ?? -1) {
      assert.equal(rows.series[i], `series of ${rows.values[i]}`);
      values.push(rows.values[i] ?? NaN);
    }
    return [high, low, values];
  });
}

function add(rows: Rows, points: readonly Added[]): void {
  for (const [value, { high, low }] of points.entries())
    rows.add(`series of ${value}` as unknown as LiveSeries, high, low, value);
}

function expect(points: readonly Added[]): ReturnType<typeof listRows> {
  const instants = new Map(points.map(({ high, low }) => [`${high} ${low}`, { high, low }]));
  return [...instants.values()]
    .toSorted((a, b) => a.high - b.high || a.low - b.low)
    .map(({ high, low }) => {
      const values = points.flatMap((one, value) => (one.high === high && one.low === low ? [value] : []));
      return [high, low, values];
    });
}

const half = fc.integer({ min: 0, max: 4 });
const points = fc.array(fc.record({ high: half, low: half }), { maxLength: 40 });

test('Rows returns every point at its time, in order of time and otherwise in the order of the request', () => {
  const rows = new Rows();
  holdsFor(fc.array(points, { maxLength: 4 }), (requests) => {
    for (const request of requests) {
      add(rows, request);
      assert.deepEqual(listRows(rows), expect(request));
      rows.clear();
      assert.deepEqual(listRows(rows), []);
    }
  });
});

test('Rows.clear keeps no series', () => {
  const rows = new Rows();
  add(rows, [
    { high: 1, low: 1 },
    { high: 1, low: 2 },
  ]);
  rows.clear();
  assert.deepEqual([...new Set(rows.series)], [undefined]);
});

test('Rows.clear releases the capacity of a large request', () => {
  const rows = new Rows();
  add(
    rows,
    Array.from({ length: 100_001 }, (_, low) => ({ high: 1, low })),
  );
  rows.clear();
  assert.deepEqual([rows.series.length, rows.values.length, rows.next.length], [0, 64, 64]);
  add(rows, [{ high: 3, low: 4 }]);
  assert.deepEqual(listRows(rows), [[3, 4, [0]]]);
});

test('Numbers.removeFirst releases the capacity for many numbers when none is left', () => {
  const numbers = new Numbers();
  for (let i = 0; i < 100_001; i += 1) numbers.push(i);
  numbers.removeFirst(1);
  assert.deepEqual([numbers.values.length, numbers.values[0], numbers.length], [2 ** 17, 1, 100_000]);
  numbers.push(1);
  numbers.removeFirst(100_001);
  assert.deepEqual([numbers.values.length, numbers.length], [64, 0]);
  numbers.push(5);
  numbers.removeFirst(1);
  assert.deepEqual([numbers.values.length, numbers.length], [64, 0]);
});
