import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KnotFinder } from './knot-finder.js';
import { RefreshBound } from './refresh-bound.js';

const ms = 1e6;

/** Reads a meter of some watts, periodically. @param refreshMs how often it is refreshed */
function readMeter(
  meter: Pick<KnotFinder, 'read'> | RefreshBound,
  {
    readMs,
    refreshMs,
    wattsAt,
  }: { readMs: number; refreshMs: number; wattsAt: (readings: number) => number },
  readings = 65,
): void {
  let joulesE9 = 0;
  let shownMs = 0;
  for (let i = 0; i < readings; i++) {
    const toMs = Math.floor((i * readMs) / refreshMs) * refreshMs;
    joulesE9 += (toMs - shownMs) * ms * wattsAt(i);
    shownMs = toMs;
    meter.read(Float64Array.of(i * readMs * ms, joulesE9));
  }
}

test('RefreshBound is infinite before 65 readings, and then the refresh interval that the spread of their growth shows', () => {
  const bound = new RefreshBound();
  readMeter(bound, { readMs: 100, refreshMs: 77, wattsAt: () => 10 }, 64);
  assert.equal(bound.refreshNs, Infinity);
  const whole = new RefreshBound();
  readMeter(whole, { readMs: 100, refreshMs: 77, wattsAt: () => 10 });
  // Between two readings are one or two refreshes: 77 ms or 154 ms of energy.
  assert.equal(Math.round(whole.refreshNs / ms), 77);
});

test('RefreshBound is at least a millisecond, and larger where power changes', () => {
  const steady = new RefreshBound();
  readMeter(steady, { readMs: 100, refreshMs: 100, wattsAt: () => 10 });
  assert.equal(steady.refreshNs, ms);
  const varied = new RefreshBound();
  readMeter(varied, { readMs: 100, refreshMs: 1, wattsAt: (i) => 10 + (i % 2) });
  // Growth of 1 J and 1.1 J, at a mean of 10.5 W.
  assert.equal(Math.round(varied.refreshNs / ms), 10);
});

test('RefreshBound keeps the smallest spread until readings are farther apart', () => {
  const bound = new RefreshBound();
  let [atMs, nj] = [0, 0];
  const run = (readMs: number, factor: number) => {
    for (let i = 0; i < 64; i++) {
      atMs += readMs;
      nj += readMs * (i % 2 === 0 ? 1 + factor : 1 - factor);
      bound.read(Float64Array.of(atMs * ms, nj));
    }
    return Math.round(bound.refreshNs / ms);
  };
  bound.read(Float64Array.of(0, 0));
  assert.equal(run(100, 0.2), 40);
  assert.equal(run(100, 0.1), 20);
  assert.equal(run(100, 0.3), 20);
  assert.equal(run(200, 0.3), 120);
});

test('KnotFinder has a lag of at most the time between two readings, the stated and the learned refresh interval', () => {
  const meter = { readMs: 100, refreshMs: 77, wattsAt: () => 10 };
  const lagAfter = (readings: number, finder = new KnotFinder(), shown = meter) => {
    readMeter(finder, shown, readings);
    return Math.round(finder.lagNs / ms);
  };
  assert.equal(lagAfter(20), 100);
  assert.equal(lagAfter(65), 77);
  assert.equal(lagAfter(65, new KnotFinder(ms)), 1);
  assert.equal(lagAfter(65, new KnotFinder(90 * ms)), 90);
  // Refreshed every 400 ms: readings without a change show it.
  assert.equal(lagAfter(65, new KnotFinder(), { ...meter, refreshMs: 400 }), 100);
});

test('KnotFinder has a delay of up to a reading where neither a statement nor a reading without a change limits it', () => {
  const delayAfter = (readings: number, refreshMs: number, statedNs?: number) => {
    const finder = new KnotFinder(statedNs);
    readMeter(finder, { readMs: 100, refreshMs, wattsAt: () => 10 }, readings);
    return Math.round(finder.delayNs / ms);
  };
  // Until the bound is known, the lag is all of the time between two readings.
  assert.equal(delayAfter(64, 100), 0);
  assert.equal(delayAfter(65, 100), 99);
  assert.equal(delayAfter(65, 77), 23);
  assert.equal(delayAfter(65, 100, ms), 0);
  assert.equal(delayAfter(65, 400), 0);
});
