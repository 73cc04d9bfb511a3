import assert from 'node:assert/strict';
import { test } from 'node:test';
import { busyTime } from '../../src/model/usage-metrics.js';
import { createRandom } from '../../src/testing/random.fixture.js';
import { Rig, RigProcess, unixNs } from './rig.fixture.js';

function assertJoules(actual: number, expected: number, toleranceJ: number): void {
  assert.ok(Math.abs(actual - expected) <= toleranceJ, `${actual} J, wanted ${expected} J`);
}

test('attribution loses nothing with a meter that is five times slower than the scans', () => {
  const rig = new Rig();
  const meter = rig.createMeter({ 'energy.method': 'measured' });
  const random = createRandom(5);
  const processes = [1, 2].map((pid) => new RigProcess({ 'process.pid': pid }, 0));
  const used: [number, number][] = [];
  let last: [number, number] = [0, 0];
  for (let atS = 0; atS <= 65; atS++) {
    used.push(last);
    // 10 W per busy CPU, and nothing else: the true energy is the usage.
    const [first, second] = used[atS - (atS % 5)];
    rig.energy(meter, atS, 10 * (first + second));
    rig.usage(atS, [
      [processes[0], last[0]],
      [processes[1], last[1]],
    ]);
    rig.boundary(atS, last[0] + last[1]);
    last = [last[0] + random.fraction(), last[1] + random.fraction() / 3];
  }
  const joules = rig.processes();
  // The meter is known from its first change on, at 5 s: which of the two used the energy of the last second, may differ.
  const wanted = [0, 1].map((i) => 10 * (used[65][i] - used[5][i]));
  assertJoules(joules[1] + joules[2], wanted[0] + wanted[1], 1e-7);
  assertJoules(joules[1], wanted[0], 0.01 * wanted[0]);
  assertJoules(joules[2], wanted[1], 0.03 * wanted[1]);
});

/** A meter that is slower than the scans, which are 1 s apart. Seconds. */
interface SlowMeter {
  readonly refreshS: number;
  readonly offsetS: number;
  readonly readingS: number;
}

/** Relative errors of two processes that use 10 W per CPU, and are busy or not for a second each. */
function findBias({ refreshS, offsetS, readingS }: SlowMeter, seconds: number): readonly number[] {
  const rig = new Rig();
  const meter = rig.createMeter({ 'energy.method': 'measured' });
  const random = createRandom(100 * offsetS + readingS);
  const processes = [1, 2].map((pid) => new RigProcess({ 'process.pid': pid }, 0));
  const used: (readonly [number, number])[] = [[0, 0]];
  const joulesAt = (atS: number) => {
    const whole = Math.floor(atS + 1e-9);
    const [from, to = from] = used.slice(whole, whole + 2).map(([first, second]) => 10 * (first + second));
    return from + (atS - whole) * (to - from);
  };
  for (let atS = 0, readings = 0; atS <= seconds; atS++) {
    const [first, second] = used[atS];
    for (; readings * readingS <= atS + 1e-9; readings++) {
      const refreshes = Math.floor((readings * readingS - offsetS) / refreshS + 1e-9);
      rig.energy(meter, readings * readingS, joulesAt(Math.max(0, refreshes * refreshS + offsetS)));
    }
    rig.usage(atS, [
      [processes[0], first],
      [processes[1], second],
    ]);
    rig.boundary(atS, first + second);
    used.push([first + Math.round(random.fraction()), second + 0.5 * Math.round(random.fraction())]);
  }
  const joules = rig.processes();
  return [joules[1] / (10 * used[seconds][0]) - 1, joules[2] / (10 * used[seconds][1]) - 1];
}

for (const refreshS of [0.9, 1.3, 2.5, 5]) {
  for (const readingS of [0.1, 1]) {
    // What it shows is up to a reading old.
    if (refreshS <= readingS) continue;
    test(`attribution has no bias with a meter that is refreshed every ${refreshS} s and read every ${readingS} s`, (t) => {
      for (const offsetS of [0, 0.1, 0.5, 0.9]) {
        const errors = findBias({ refreshS, offsetS, readingS }, 4000);
        const found = `refreshed ${offsetS} s after a scan: ${errors.map((error) => (100 * error).toFixed(2)).join(' and ')} %`;
        t.diagnostic(found);
        // Where a meter is refreshed about as often as the usage is read, its windows are those of a few seconds.
        const limit = refreshS > 2 || readingS < 1 ? 0.005 : 0.02;
        assert.ok(
          errors.every((error) => Math.abs(error) < limit),
          found,
        );
      }
    });
  }
}

test('attribution processes tables of a thousand readings of a meter that is read ten times faster than it is refreshed', () => {
  const rig = new Rig();
  const meter = [rig.createMeter({ 'energy.method': 'measured' })];
  const process = new RigProcess({ 'process.pid': 1 }, 0);
  const offsets = Float64Array.from({ length: 1000 }, (_, i) => i * 1e5);
  for (let table = 0; table < 50; table++) {
    const startNs = table * 1e8 + 30_000;
    // 20 W, refreshed every millisecond.
    const values = offsets.map((offset) => 0.02 * Math.floor((startNs + offset) / 1e6));
    rig.consume({ series: meter, epoch: unixNs(startNs / 1e9), offsets, values });
    if (table % 10 !== 5) continue;
    const atS = table / 10;
    rig.usage(atS + 0.01, [[process, 0.25 * (atS - 0.5)]]);
    rig.boundary(atS, 0.5 * (atS - 0.5));
  }
  // Five boundaries, the first of which starts the ledger.
  assertJoules(rig.processes()[1], 40, 0.4);
  assertJoules((rig.parts()['unseen'] ?? 0) + rig.processes()[1], 80, 1e-6);
});

test('attribution settles windows of a millisecond from tables that contain all series', () => {
  const rig = new Rig();
  const meter = rig.createMeter({ 'energy.method': 'measured' });
  const processes = Array.from({ length: 3 }, (_, i) => new RigProcess({ 'process.pid': i }, 0));
  const busy = { ...meter, metric: busyTime, attributes: {} };
  const series = [busy, ...processes.map((process) => process.series[0]), meter];
  const offsets = Float64Array.from({ length: 1000 }, (_, i) => i * 1e6);
  const values = Float64Array.from(offsets, (offset) => offset / 1e9).reduce<number[]>((cells, atS) => {
    cells.push(atS, 0.5 * atS, 0.25 * atS, 0, 30 * atS);
    return cells;
  }, []);
  rig.consume({ series, epoch: unixNs(0), offsets, values: Float64Array.from(values) });
  const rows = rig.out.tables.slice(1).map((table) => table.offsets.length);
  assert.deepEqual(rows, [999]);
  const joules = rig.processes();
  assertJoules(joules[0], 0.5 * 30 * 0.999, 1e-6);
  assertJoules(joules[1], 0.25 * 30 * 0.999, 1e-6);
  assert.equal(joules[2], undefined);
});

test('attribution finds who was busy although busy time is counted in ticks of 10 ms', () => {
  for (const windowS of [0.001, 0.005, 0.02, 0.1]) {
    const rig = new Rig();
    const meter = rig.createMeter();
    const process = new RigProcess({ 'process.pid': 1 }, 0);
    for (let window = 0; window <= 1000; window++) {
      const atS = window * windowS;
      const usedS = 0.3 * atS;
      const idleTicks = Math.floor((2 * atS - usedS) * 100);
      rig.energy(meter, atS, 10 * atS);
      rig.usage(atS, [[process, usedS]]);
      rig.boundary(atS, 2 * atS - idleTicks / 100);
    }
    // All except what the first tick shows too much.
    const lost = (rig.parts()['unseen'] ?? 0) / (10_000 * windowS);
    assert.ok(lost < 0.01, `${lost} of the energy with windows of ${windowS} s`);
  }
});
