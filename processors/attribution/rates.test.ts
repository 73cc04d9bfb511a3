import assert from 'node:assert/strict';
import { test } from 'node:test';
import { busyTime } from '../../src/model/usage-metrics.js';
import { createRandom } from '../../src/testing/random.fixture.js';
import { Rig, RigProcess, unixNs } from './rig.fixture.js';

function assertJoules(actual: number, expected: number, toleranceJ: number): void {
  assert.ok(Math.abs(actual - expected) <= toleranceJ, `${actual} J, wanted ${expected} J`);
}

test('attribution is exact with a meter that is five times slower than the scans', () => {
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
  // The meter is known from its first change on, at 5 s.
  assertJoules(joules[1], 10 * (used[65][0] - used[5][0]), 1e-7);
  assertJoules(joules[2], 10 * (used[65][1] - used[5][1]), 1e-7);
  assertJoules(rig.parts()['unseen'] ?? 0, 0, 1e-7);
});

test('attribution is within 2 % over time with a meter that is refreshed every 5 s between two scans', (t) => {
  // What it shows is up to 0.9 s old, and each process starts or stops every second. In step, there is no error.
  for (const offsetS of [0.1, 0.5, 0.9]) {
    const rig = new Rig();
    const meter = rig.createMeter({ 'energy.method': 'measured' });
    const random = createRandom(10 * offsetS);
    const processes = [1, 2].map((pid) => new RigProcess({ 'process.pid': pid }, 0));
    const used: (readonly [number, number])[] = [[0, 0]];
    const seconds = 4000;
    for (let atS = 0; atS <= seconds; atS++) {
      const [first, second] = used[atS];
      // Each is busy or not for a second; 10 W per busy CPU. The meter shows the energy up to its last refresh.
      used.push([first + Math.round(random.fraction()), second + 0.5 * Math.round(random.fraction())]);
      const refreshedS = Math.max(0, Math.floor((atS - offsetS) / 5) * 5 + offsetS);
      const from = Math.floor(refreshedS);
      const joulesAt = (i: number) => 10 * (used[i][0] + used[i][1]);
      rig.energy(meter, atS, joulesAt(from) + (refreshedS - from) * (joulesAt(from + 1) - joulesAt(from)));
      rig.usage(atS, [
        [processes[0], first],
        [processes[1], second],
      ]);
      rig.boundary(atS, first + second);
    }
    const joules = rig.processes();
    const [first, second] = used[seconds];
    const errors = [joules[1] / (10 * first) - 1, joules[2] / (10 * second) - 1];
    t.diagnostic(`${offsetS} s: ${errors.join(', ')}`);
    assert.ok(
      errors.every((error) => Math.abs(error) < 0.02),
      `${offsetS} s: ${errors.join(', ')}`,
    );
  }
});

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
