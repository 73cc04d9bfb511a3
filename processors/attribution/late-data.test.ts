import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkTables } from '../../src/model/check-tables.js';
import type { Series } from '../../src/model/series.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { confirm, linesOf } from './audit.fixture.js';
import { RigGpu } from './rig-gpu.fixture.js';
import { playBusy, playSecond, Rig, RigProcess, unixNs } from './rig.fixture.js';

/** All energy in the ledger, including that of ended series. */
function sumLedger({ out }: Rig): number {
  return out.last('ledger.energy').reduce((sum, { value }) => sum + value, 0);
}

/** The published energy series of a view that have not ended. */
function listLive({ out }: Rig, metric: string): readonly Series[] {
  const live = new Set(out.last(metric).map(({ series }) => series));
  for (const { ended = [] } of out.tables) for (const series of ended) live.delete(series);
  return [...live];
}

test('attribution ignores a late table of a counter that has ended', () => {
  const { rig, meter, process } = playBusy();
  const next = rig.createMeter({}, 1);
  rig.end(1, meter);
  rig.energy(next, 1, 0);
  playSecond({ rig, meter: next, used: [[process, 2]] }, 2);
  // In an array of its own, which the ledger has never seen.
  const other = rig.createMeter({ 'hw.id': 'package-1' });
  rig.consume({ series: [meter, other], ...rowAt(1.5), values: Float64Array.of(15, 0) });
  playSecond({ rig, meter: next, used: [[process, 3]] }, 3);
  // 10 J up to 1 s; then 20 J at 2 s, since its start, and 10 J more.
  assert.deepEqual(rig.parts(), { attributed: 40 });
});

function rowAt(atS: number) {
  return { epoch: 1_800_000_000_000_000_000n + BigInt(atS * 1e9), offsets: new Float64Array(1) };
}

test('attribution shares what a counter counted from its reset to the last boundary by the usage of that time', () => {
  const { rig, meter, process } = playBusy();
  const other = new RigProcess({ 'process.pid': 2 }, 1);
  // Only the other process is busy up to 2 s; the energy of that time arrives later.
  rig.usage(2, [
    [process, 1],
    [other, 1],
  ]);
  rig.boundary(2, 2);
  rig.energy(meter, 1.25, 12.5);
  const next = rig.createMeter({}, 1.25);
  for (const atS of [1.25, 1.5, 1.75, 2]) rig.energy(next, atS, 10 * (atS - 1.25));
  playSecond({ rig, meter: next, used: [[process, 2]] }, 3);
  rig.energy(next, 3, 17.5);
  assert.equal(rig.processes()[2], 10);
});

test('attribution leaves energy unattributed of which a domain that is found late has missed the usage', () => {
  const { rig, process } = playBusy();
  const late = rig.createMeter({ 'hw.type': 'memory', 'hw.id': 'dram-0' });
  const other = new RigProcess({ 'process.pid': 2 }, 2);
  rig.usage(2, [[process, 2]]);
  rig.boundary(2, 2);
  // Its first table contains readings of two seconds, in which the second process used nothing.
  for (const atS of [0, 1, 2]) rig.energy(late, atS, 5 * atS);
  rig.usage(3, [
    [process, 2],
    [other, 1],
  ]);
  rig.energy(late, 3, 15);
  rig.boundary(3, 3);
  assert.deepEqual(rig.parts('dram-0'), { attributed: 5, gap: 10 });
  assert.equal(rig.processes()[2], 5);
});

for (const value of [Infinity, -Infinity, 1e300]) {
  test(`attribution treats a value of ${value} as no reading`, () => {
    const settings = { floor: [{ hw_type: 'gpu', power: 0 }] };
    const { rig, meter, process } = playBusy(settings);
    const gpu = new RigGpu(rig);
    gpu.scan(1, [[process, 0]], 0, 0);
    rig.tick(1.5, value);
    rig.modelFloor(rig.createMeter({ 'hw.id': 'package-1' }), 1.5, value);
    gpu.scan(1.5, [[process, value]], value, value);
    rig.usage(1.5, [[process, value]]);
    rig.energy(meter, 1.5, value);
    rig.boundary(1.5, value);
    gpu.scan(2, [[process, 0.5]], 1, 100);
    playSecond({ rig, meter, used: [[process, 1.5]] }, 2);
    assert.deepEqual(rig.parts(), { attributed: 15, unseen: 5 });
    assert.deepEqual(rig.parts('GPU-1'), { attributed: 50, idle: 0, unseen: 50 });
    assert.deepEqual(rig.processes(), { 1: 65 });
  });
}

test('attribution counts no energy twice when the clock was set back', () => {
  const { rig, meter, process } = playBusy();
  rig.end(2, meter, ...process.restart(-3600), ...rig.restartBusy(-3600));
  const next = rig.createMeter({}, -3600);
  // The first table of energy after the step has several readings, and comes before the first boundary.
  for (const atS of [0, 0.25, 0.5, 0.75]) rig.energy(next, atS - 3600, 10 * atS);
  rig.usage(-3599, [[process, 1]]);
  rig.boundary(-3599, 1);
  for (const atS of [1, 2, 3]) {
    rig.energy(next, atS - 3600, 10 * atS);
    rig.usage(atS - 3600, [[process, atS]]);
    rig.boundary(atS - 3600, atS);
  }
  void rig.processor.shutdown();
  assert.equal(sumLedger(rig), 10 + 30);
});

/** The joules that a meter of 10 W shows that is refreshed every 4 s. */
function showSlow(atS: number): number {
  return 40 * Math.floor(atS / 4);
}

test('attribution loses no energy of a slow meter when the clock was set back', () => {
  const rig = new Rig();
  const meter = rig.createMeter({ 'energy.method': 'measured' }, 0);
  // The step is found between two refreshes.
  const play = (fromS: number, toS: number) => {
    for (let atS = fromS; atS <= toS; atS++) {
      rig.energy(meter, atS, showSlow(atS));
      rig.boundary(atS, atS + 100);
    }
  };
  play(0, 10);
  rig.end(10, ...rig.restartBusy(9));
  rig.energy(meter, 11, showSlow(11));
  for (const atS of [9, 9.5]) rig.boundary(atS, atS + 100);
  rig.energy(meter, 11.5, showSlow(11.5));
  play(12, 20);
  void rig.processor.shutdown();
  // All but the first refresh, at 4 s.
  assert.equal(sumLedger(rig), 160);
});

test('attribution keeps what it has learned of a slow meter when it finds only later that the clock was set back', () => {
  const rig = new Rig();
  const meter = rig.createMeter({ 'energy.method': 'measured' }, 0);
  for (let atS = 0; atS <= 10; atS++) {
    rig.energy(meter, atS, showSlow(atS));
    rig.boundary(atS, atS + 100);
  }
  rig.end(10, meter, ...rig.restartBusy(-3600));
  const next = rig.createMeter({ 'energy.method': 'measured' }, -3600);
  // Only the second boundary shows the step. The first refresh, at 4 s, is before it.
  for (const atS of [0, 1, 2, 3, 4, 5, 6]) rig.energy(next, atS - 3600, showSlow(atS));
  for (let atS = 8; atS <= 20; atS++) {
    rig.boundary(atS - 3600, atS + 100);
    rig.energy(next, atS - 3600, showSlow(atS));
  }
  void rig.processor.shutdown();
  assert.equal(sumLedger(rig), 40 + 160);
});

test('attribution begins another ledger when the clock was set back by less than the time between two scans', async () => {
  const path = join(createFolder(), 'audit.jsonl');
  const { rig, meter, process } = playBusy({ audit: { path } });
  playSecond({ rig, meter, used: [[process, 2]] }, 2);
  // From 2 s to 1.4 s: the next boundary is later than the last one, but not the energy.
  rig.end(1.4, meter, ...process.restart(1.4), ...rig.restartBusy(1.4));
  const next = rig.createMeter({}, 1.4);
  for (const atS of [1.4, 1.9, 2.4, 3.4, 4.4]) {
    rig.energy(next, atS, 10 * (atS - 1.4));
    if (atS === 1.9) continue;
    rig.usage(atS, [[process, atS - 1.4]]);
    if (atS > 1.4) rig.boundary(atS, atS - 1.4);
  }
  await rig.processor.shutdown();
  assert.equal(sumLedger(rig).toFixed(9), '50.000000000');
  const lines = linesOf(path);
  assert.equal(confirm(lines).windows, 5);
  assert.equal(lines.filter((line) => line.startsWith('{"audit"')).length, 2);
});

for (const isEarly of [false, true]) {
  const first = isEarly ? 'meter is read before' : 'usage is read before';
  test(`attribution continues in a new ledger when the clock was set back on a machine with GPUs only, whose ${first} the other`, () => {
    const rig = new Rig();
    const gpu = new RigGpu(rig);
    const process = new RigProcess({ 'process.pid': 1 }, 0);
    for (const atS of [0, 1, 2]) gpu.scan(atS, [[process, atS]], atS, 10 * atS);
    assert.deepEqual(rig.parts('GPU-1'), { attributed: 20 });
    rig.end(2, ...gpu.restart(-3600));
    for (const atS of [0, 1, 2]) {
      if (isEarly) rig.energy(gpu.energy, atS - 3600, 10 * atS);
      gpu.scan(atS - 3600, [[process, atS]], atS, 10 * atS);
    }
    assert.deepEqual(rig.parts('GPU-1'), { attributed: 20 });
    assert.equal(rig.out.last('process.energy').at(-1)?.series.start, unixNs(-3600));
    const all = rig.out.last('ledger.energy').map(({ series, value }) => [series.start, value]);
    assert.deepEqual(all, [
      [unixNs(0), 20],
      [unixNs(-3600), 20],
    ]);
  });
}

test('attribution continues in a new ledger when the clock of a machine with GPUs only was set back by less than the time between two scans', () => {
  const rig = new Rig();
  const gpu = new RigGpu(rig);
  for (const atS of [0, 1, 2]) gpu.scan(atS, [], atS, 10 * atS);
  rig.end(2, ...gpu.restart(1.4));
  for (const atS of [1.4, 1.9]) rig.energy(gpu.energy, atS, 10 * (atS - 1.4));
  for (const atS of [2.4, 3.4, 4.4]) gpu.scan(atS, [], atS - 1.4, 10 * (atS - 1.4));
  void rig.processor.shutdown();
  assert.ok(rig.out.last('ledger.energy').some(({ series }) => series.start === unixNs(1.4)));
  assert.equal(sumLedger(rig).toFixed(9), '50.000000000');
});

/** GPUs, the samples of the second older than those of the first, with one process that uses all. */
function playGpus(ids: readonly string[], settings: object = {}) {
  const rig = new Rig({ floor: [{ hw_type: 'gpu', power: 0 }], ...settings });
  const gpus = ids.map((id) => new RigGpu(rig, id));
  const process = new RigProcess({ 'process.pid': 1, 'process.executable.name': 'train' }, 0);
  const play = (atS: number, users: readonly RigProcess[]) => {
    rig.usage(
      atS,
      users.map((one) => [one, 0]),
    );
    rig.boundary(atS, 0);
    gpus.forEach((gpu, i) => {
      const sampledS = Math.max(0, atS - 0.1 - 0.1 * i);
      gpu.scan(
        sampledS,
        users.map((one) => [one, sampledS]),
        sampledS,
        100 * sampledS,
      );
    });
  };
  const end = (atS: number) =>
    rig.end(atS, ...process.series, ...gpus.flatMap((gpu) => gpu.seriesOf(process)));
  return { rig, gpus, process, play, end };
}

test('attribution ends the series of a group also where the energy of its last domain is always late', () => {
  const { rig, process, play, end } = playGpus(['GPU-1', 'GPU-2']);
  for (let atS = 0; atS <= 3; atS++) play(atS, [process]);
  assert.equal(listLive(rig, 'program.energy').length, 1);
  end(3);
  for (let atS = 4; atS <= 70; atS++) play(atS, []);
  assert.deepEqual(listLive(rig, 'process.energy'), []);
  assert.deepEqual(listLive(rig, 'program.energy'), []);
  // Another run of the same program: its series are the only ones.
  const next = new RigProcess({ 'process.pid': 2, 'process.executable.name': 'train' }, 70);
  for (let atS = 71; atS <= 75; atS++) play(atS, [next]);
  checkTables(rig.out.tables);
});

test('attribution writes late energy to a row before it ends the series of a domain', () => {
  const { rig, gpus, process, play } = playGpus(['GPU-1', 'GPU-2'], { max_window: '10s' });
  for (let atS = 0; atS <= 3; atS++) play(atS, [process]);
  rig.end(3, ...gpus.map(({ energy }) => energy), ...gpus.flatMap(({ scanSeries }) => scanSeries));
  for (let atS = 4; atS <= 20; atS++) rig.boundary(atS, 0);
  assert.equal(sumLedger(rig), 290 + 280);
});

test('attribution charges a process its last GPU time if other boundaries come before the row of the GPU', () => {
  const { rig, gpus, process, play } = playGpus(['GPU-1']);
  const [gpu] = gpus;
  for (let atS = 0; atS <= 3; atS++) play(atS, [process]);
  // Its last GPU time, its end and two scans of the CPUs arrive before the row of the whole GPU.
  rig.consume({ series: gpu.seriesOf(process), ...rowAt(3.5), values: Float64Array.of(3.5) });
  rig.end(3.6, ...process.series, ...gpu.seriesOf(process));
  for (const atS of [4, 5]) rig.boundary(atS, 0);
  gpu.scan(3.5, [], 3.5, 350);
  for (let atS = 6; atS <= 70; atS++) play(atS, []);
  assert.equal(rig.processes()[1], 350);
  assert.deepEqual(listLive(rig, 'process.energy'), []);
  checkTables(rig.out.tables);
});

test('attribution learns no floor of a GPU whose users are not known any more', () => {
  const rig = new Rig();
  const gpu = new RigGpu(rig);
  const meter = { ...gpu.energy, attributes: { ...gpu.energy.attributes, 'energy.method': 'measured' } };
  let joules = 0;
  const play = (fromS: number, toS: number, watts: number, isScanned: boolean) => {
    for (let atS = fromS; atS < toS; atS++) {
      if (isScanned) gpu.scan(atS, [], 0, NaN);
      rig.energy(meter, atS, (joules += watts));
      rig.boundary(atS, 0);
    }
  };
  play(0, 70, 50, true);
  const floor = () => rig.out.last('attribution.floor.power').map(({ value }) => value);
  assert.deepEqual(floor(), [50]);
  rig.end(70, ...gpu.scanSeries);
  play(70, 700, 300, false);
  assert.deepEqual(floor(), [50]);
});
