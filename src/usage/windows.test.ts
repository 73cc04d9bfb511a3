import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGap, UsageTick, type Usage } from './usage.js';
import { Windows } from './windows.js';
import { Workload } from './workload.js';

const exact = new UsageTick();

const workload = new Workload({ attributes: { 'process.pid': 1 } }, 0, { groups: [] });

/** One nanosecond of one workload up to a boundary. */
function usageTo(to: number): Usage {
  return { firstTo: to, to, busyNs: 2, isGap: false, workloads: [workload], cpuNs: [1], lifeNs: [1] };
}

/** All windows that can be settled: from, to, energy and the workload's time; NaN for a gap. */
function settleAll(windows: Windows): [number, number, number, number][] {
  const settled: [number, number, number, number][] = [];
  for (let window = windows.takeReady(); window !== undefined; window = windows.takeReady()) {
    const { from, to, energyNj, usage } = window;
    settled.push([from, to, energyNj, usage.isGap ? NaN : usage.cpuNs[0]]);
  }
  return settled;
}

function readTo(windows: Windows, readings: readonly (readonly [number, number])[]): void {
  for (const [at, energyNj] of readings) windows.curve.read(Float64Array.of(at, energyNj), true);
}

test('Windows settles a boundary once the energy is known up to there', () => {
  const windows = new Windows(1000, exact);
  readTo(windows, [[0, 0]]);
  windows.push(usageTo(0));
  windows.push(usageTo(10));
  readTo(windows, [[9, 90]]);
  assert.deepEqual(settleAll(windows), []);
  readTo(windows, [[19, 190]]);
  assert.deepEqual(settleAll(windows), [[0, 10, 100, 1]]);
});

test('Windows.settled is the beginning of the curve before the first window, then the end of the last one', () => {
  const windows = new Windows(1000, exact);
  assert.equal(windows.settled, undefined);
  readTo(windows, [[2, 20]]);
  assert.deepEqual(windows.settled, { at: 2, nj: 20 });
  readTo(windows, [[12, 120]]);
  windows.push(usageTo(12));
  assert.deepEqual(settleAll(windows), [[2, 12, 100, 1]]);
  assert.deepEqual(windows.settled, { at: 12, nj: 120 });
});

test('Windows settles energy that arrived before the usage', () => {
  const windows = new Windows(1000, exact);
  readTo(windows, [
    [0, 0],
    [10, 100],
    [20, 300],
    [30, 300],
  ]);
  windows.push(usageTo(5));
  windows.push(usageTo(15));
  windows.push(usageTo(25));
  assert.deepEqual(settleAll(windows), [[0, 15, 200, 2]]);
  readTo(windows, [[40, 400]]);
  windows.push(usageTo(35));
  // The meter is slow now: the next window ends at its knot at 20.
  assert.deepEqual(settleAll(windows), [[15, 20, 100, 1]]);
});

test('Windows makes a gap of energy before the first usage, if the meter separates it', () => {
  const windows = new Windows(1000, exact);
  readTo(windows, [
    [0, 0],
    [4, 40],
    [10, 100],
  ]);
  windows.push(createGap(5));
  windows.push(usageTo(10));
  assert.deepEqual(settleAll(windows), [
    [0, 5, 50, NaN],
    [5, 10, 50, 1],
  ]);
});

test('Windows charges energy before the first usage to the first window, if no meter separates them', () => {
  const windows = new Windows(1000, exact);
  readTo(windows, [
    [0, 0],
    [10, 100],
  ]);
  windows.push(createGap(5));
  windows.push(usageTo(10));
  assert.deepEqual(settleAll(windows), [[0, 10, 100, 1]]);
});

test('Windows widens the window of a slow meter', () => {
  const windows = new Windows(1000, exact);
  readTo(windows, [[0, 0]]);
  for (let to = 0; to <= 10; to++) windows.push(usageTo(to));
  readTo(windows, [
    [5, 50],
    [10, 150],
  ]);
  assert.deepEqual(settleAll(windows), [
    [0, 5, 50, 5],
    [5, 10, 100, 5],
  ]);
});

/** Windows of a meter with a knot every 50, whose usage of 10 each ends at 5, 15 and so on. */
function createSlow(): Windows {
  const windows = new Windows(1000, exact);
  readTo(windows, [[0, 0]]);
  const usage = { firstTo: 0, busyNs: 10, isGap: false, workloads: [workload], cpuNs: [10], lifeNs: [10] };
  for (let to = 5; to <= 105; to += 10) windows.push({ ...usage, firstTo: to, to });
  return windows;
}

test('Windows ends at the knots of a slow meter, and divides the usage there', () => {
  const windows = createSlow();
  assert.equal(windows.takeReady(), undefined);
  readTo(windows, [
    [50, 500],
    [100, 1500],
  ]);
  // The first usage began before the curve.
  assert.deepEqual(settleAll(windows), [
    [0, 50, 500, 55],
    [50, 100, 1000, 50],
  ]);
  // What is left of the last usage belongs to the next window, and so do its workloads.
  assert.deepEqual([windows.isDoneWith(104), windows.isDoneWith(105)], [true, false]);
  windows.close();
  windows.push(usageTo(115));
  assert.deepEqual(settleAll(windows), []);
});

test('Windows states how much usage may be on the wrong side of a knot', () => {
  const windows = createSlow();
  readTo(windows, [
    [52, 500],
    [100, 1500],
  ]);
  // 7 after one boundary and 3 before the next; then 5 and 5.
  assert.equal(windows.takeReady()?.edgeNs, 2.1);
  assert.equal(windows.takeReady()?.edgeNs, Math.hypot(2.1, 2.5));
});

test('Windows ends at boundaries where readings are as frequent, even if they jitter', () => {
  const windows = new Windows(1000, exact);
  for (let i = 0; i < 10; i++) {
    readTo(windows, [[100 * i + (i % 3), 100 * i]]);
    windows.push(usageTo(100 * i + 1));
  }
  assert.ok(settleAll(windows).every(([, to]) => to % 100 === 1));
});

test('Windows makes a gap of a window that is longer than the maximum', () => {
  const windows = new Windows(10, exact);
  readTo(windows, [[0, 0]]);
  windows.push(usageTo(0));
  assert.equal(windows.takeReady(), undefined);
  for (let to = 1; to <= 50; to++) windows.push(usageTo(to));
  assert.equal(windows.isDoneWith(40), true);
  assert.equal(windows.isDoneWith(41), false);
  readTo(windows, [
    [50, 500],
    [51, 510],
  ]);
  windows.push(usageTo(51));
  assert.deepEqual(settleAll(windows), [
    [0, 50, 500, NaN],
    [50, 51, 10, 1],
  ]);
});

test('Windows ends its last window with the last reading when its counter is closed', () => {
  const windows = new Windows(1000, exact);
  readTo(windows, [
    [0, 0],
    [9, 90],
    [12, 120],
  ]);
  windows.close();
  for (const to of [0, 10, 20, 30]) windows.push(usageTo(to));
  assert.deepEqual(settleAll(windows), [
    [0, 10, 100, 1],
    [10, 12, 20, 1],
  ]);
  assert.equal(windows.takeReady(), undefined);
  assert.equal(windows.isDrained, true);
});

test('Windows ends its last window with the last reading if the usage beyond it is already known', () => {
  const windows = new Windows(1000, exact);
  readTo(windows, [
    [0, 0],
    [12, 120],
  ]);
  for (const to of [0, 10, 20, 30]) windows.push(usageTo(to));
  windows.close();
  assert.deepEqual(settleAll(windows), [[0, 12, 120, 2]]);
  assert.equal(windows.isDrained, true);
});

test('Windows.finish makes a gap of energy after the last boundary', () => {
  const windows = new Windows(1000, exact);
  readTo(windows, [
    [0, 0],
    [12, 120],
  ]);
  for (const to of [0, 10]) windows.push(usageTo(to));
  windows.finish();
  assert.deepEqual(settleAll(windows), [
    [0, 10, 100, 1],
    [10, 12, 20, NaN],
  ]);
  assert.equal(windows.isDrained, true);
});

test('Windows settles the rest without a new knot when its counter is closed', () => {
  const windows = new Windows(1000, exact);
  readTo(windows, [
    [0, 0],
    [12, 120],
  ]);
  for (const to of [0, 5, 10]) windows.push(usageTo(to));
  assert.deepEqual(settleAll(windows), []);
  windows.close();
  assert.deepEqual(settleAll(windows), [[0, 10, 100, 2]]);
});

test('Windows merges boundaries when too many are pending', () => {
  const windows = new Windows(1e9, exact);
  readTo(windows, [[0, 0]]);
  windows.push(usageTo(0));
  assert.equal(windows.takeReady(), undefined);
  for (let to = 1; to <= 5000; to++) windows.push(usageTo(to));
  readTo(windows, [[5000, 5000]]);
  assert.deepEqual(settleAll(windows), [[0, 5000, 5000, 5000]]);
});

test('Windows loses no energy when it merges boundaries of a fast meter', () => {
  const windows = new Windows(1e9, exact);
  readTo(windows, [[0, 0]]);
  windows.push(usageTo(0));
  assert.equal(windows.takeReady(), undefined);
  for (let to = 1; to <= 5000; to++) windows.push(usageTo(to));
  for (let at = 1; at <= 5000; at++) readTo(windows, [[at, at]]);
  const settled = settleAll(windows);
  assert.ok(settled.length > 2000);
  assert.equal(
    settled.reduce((sum, [, , energyNj]) => sum + energyNj, 0),
    5000,
  );
  assert.equal(
    settled.reduce((sum, [, , , cpuNs]) => sum + cpuNs, 0),
    5000,
  );
});

test('Windows makes no window shorter than 25 ticks of the usage, and loses no energy by it', () => {
  const tick = new UsageTick();
  tick.read(4e-9);
  const windows = new Windows(1000, tick);
  for (let at = 0; at <= 320; at += 40) {
    readTo(windows, [[at, 10 * at]]);
    windows.push(usageTo(at));
  }
  assert.deepEqual(settleAll(windows), [
    [0, 120, 1200, 3],
    [120, 240, 1200, 3],
  ]);
  windows.close();
  assert.deepEqual(settleAll(windows), [[240, 320, 800, 2]]);
});
