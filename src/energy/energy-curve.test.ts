import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EnergyCurve } from './energy-curve.js';

/** A curve with these readings of time and energy. */
function read(readings: readonly (readonly [number, number])[], isExact = false): EnergyCurve {
  const curve = new EnergyCurve();
  for (const [at, energyNj] of readings) curve.read(Float64Array.of(at, energyNj), isExact);
  return curve;
}

/** A meter that is refreshed every 10 and read every 4, starting in the middle of a refresh interval. */
const slow = [
  [3, 100],
  [7, 100],
  [11, 200],
  [15, 200],
  [19, 200],
  [23, 300],
  [27, 300],
  [31, 400],
] as const;

test('EnergyCurve is linear between two changes', () => {
  const curve = read([
    [0, 0],
    [10, 100],
    [20, 140],
  ]);
  assert.equal(curve.energyNjAt(5), 50);
  assert.equal(curve.energyNjAt(10), 100);
  assert.equal(curve.energyNjAt(13), 112);
});

test('EnergyCurve starts at the first change of a meter that is slower than its readings', () => {
  const curve = read(slow);
  // It changed between 7 and 11, and between 19 and 23.
  assert.equal(curve.firstAt, 9);
  assert.equal(curve.findKnotAfter(9), 21);
  assert.deepEqual([curve.findKnotUpTo(20), curve.findKnotUpTo(21)], [9, 21]);
  assert.equal(curve.energyNjAt(15), 250);
});

/** The knot of a reading at 70 that follows failed ones, of a meter that was refreshed every 12 and 8. */
function findLateKnot(statedNs?: number): number {
  const curve = new EnergyCurve(statedNs);
  for (const [at, value] of [...slow, [35, 400], [70, 900]] as const)
    curve.read(Float64Array.of(at, value), false);
  return curve.lastAt;
}

test('EnergyCurve assumes that a change is a refresh old at most, and no younger than is known of the meter', () => {
  const learned = findLateKnot();
  assert.ok(learned >= 64 && learned <= 65, `${learned}`);
  assert.equal(findLateKnot(30), 55);
});

test('EnergyCurve starts at the first change when only the third reading shows that the meter is slow', () => {
  const curve = read([
    [0, 0],
    [10, 500],
  ]);
  assert.equal(curve.lastAt, NaN);
  curve.read(Float64Array.of(20, 500), false);
  assert.equal(curve.firstAt, 5);
});

test('EnergyCurve starts at the first reading when every reading is a change', () => {
  const curve = read([
    [0, 0],
    [1, 10],
    [2, 30],
  ]);
  assert.equal(curve.firstAt, 0);
  assert.equal(curve.lastAt, 2);
});

test('EnergyCurve uses an exact counter from its first reading on', () => {
  assert.equal(read([[5, 0]], true).lastAt, 5);
});

test('EnergyCurve treats a reading without a change as a knot only after two refresh intervals', () => {
  const curve = read([
    [0, 0],
    [10, 10],
    [20, 20],
    [30, 20],
    [39, 20],
  ]);
  assert.equal(curve.lastAt, 20);
  curve.read(Float64Array.of(40, 20), false);
  assert.equal(curve.lastAt, 40);
  curve.read(Float64Array.of(50, 80), false);
  assert.equal(curve.energyNjAt(45), 50);
});

test('EnergyCurve learns the refresh interval', () => {
  const curve = read(slow);
  for (let at = 35; at < 2000; at += 4)
    curve.read(Float64Array.of(at, 100 * Math.floor((at + 9) / 10)), false);
  assert.ok(Math.abs(curve.refreshNs - 10) < 1, `${curve.refreshNs}`);
});

test('EnergyCurve does not learn an hour without energy as a refresh interval', () => {
  const curve = read(slow);
  curve.read(Float64Array.of(3600e9, 500), false);
  assert.ok(curve.refreshNs > 5 && curve.refreshNs < 20, `${curve.refreshNs}`);
});

test('EnergyCurve has no refresh interval for a meter that is faster than its readings', () => {
  const curve = read([]);
  for (let at = 0; at < 1000; at += 10) curve.read(Float64Array.of(at, at), false);
  assert.equal(curve.refreshNs, 0);
});

test('EnergyCurve ends when the counter falls', () => {
  const curve = read([
    [0, 0],
    [10, 100],
    [20, 140],
  ]);
  assert.equal(curve.read(Float64Array.of(30, 5), false), false);
  assert.equal(curve.lastAt, 20);
});

test('EnergyCurve ignores a repeated reading', () => {
  const curve = read([
    [0, 0],
    [10, 100],
    [20, 140],
  ]);
  assert.equal(curve.read(Float64Array.of(10, 100), false), true);
  assert.equal(curve.lastAt, 20);
});

test('EnergyCurve uses the readings so far when it finishes', () => {
  const short = read([
    [0, 0],
    [10, 100],
  ]);
  short.finish();
  assert.equal(short.lastAt, 10);
  const repeated = read(slow);
  repeated.read(Float64Array.of(35, 400), false);
  repeated.finish();
  assert.equal(repeated.lastAt, 35);
});
