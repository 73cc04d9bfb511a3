import assert from 'node:assert/strict';
import { test } from 'node:test';
import { playBusy, playSecond, Rig, RigProcess, unixNs } from './rig.fixture.js';

test('attribution books none of the energy that a counter had before the first boundary', () => {
  const rig = new Rig();
  const meter = rig.createMeter();
  rig.energy(meter, 0, 1e6);
  rig.boundary(0, 5000);
  rig.energy(meter, 1, 1e6 + 10);
  rig.boundary(1, 5001);
  assert.deepEqual(rig.parts(), { attributed: 0, unseen: 10 });
});

test('attribution publishes a reason for energy of a period in which no process was busy', () => {
  const rig = new Rig({ floor: [{ power: 4 }] });
  const meter = rig.createMeter();
  playSecond({ rig, meter, used: [] }, 0, 0);
  playSecond({ rig, meter, used: [] }, 1, 0);
  assert.deepEqual(rig.parts(), { attributed: 0, idle: 4, no_usage: 6 });
});

for (const type of ['gpu', 'power_rail']) {
  test(`attribution leaves the energy of hardware that CPU time does not explain unattributed: ${type}`, () => {
    const rig = new Rig();
    const meter = rig.createMeter({ 'hw.type': type, 'hw.id': 'gpu-0' });
    const process = new RigProcess({ 'process.pid': 1 }, 0);
    playSecond({ rig, meter, used: [[process, 0]] }, 0);
    playSecond({ rig, meter, used: [[process, 1]] }, 1);
    assert.deepEqual(rig.parts('gpu-0'), { attributed: 0, no_usage: 10 });
    assert.deepEqual(rig.processes(), {});
  });
}

test('attribution makes a gap of a period whose usage was missing for too long', () => {
  const { rig, meter, process } = playBusy({ max_window: '10s' });
  for (let atS = 2; atS < 20; atS++) rig.energy(meter, atS, 10 * atS);
  playSecond({ rig, meter, used: [[process, 19]] }, 20, 20);
  playSecond({ rig, meter, used: [[process, 20]] }, 21, 21);
  assert.deepEqual(rig.parts(), { attributed: 20, gap: 190 });
});

test('attribution merges windows while the usage is missing for a shorter time', () => {
  const { rig, meter, process } = playBusy();
  for (let atS = 2; atS < 20; atS++) rig.energy(meter, atS, 10 * atS);
  playSecond({ rig, meter, used: [[process, 10.5]] }, 20, 20);
  assert.deepEqual(rig.parts(), { attributed: 105, unseen: 95 });
});

test('attribution makes a gap where the busy time was reset', () => {
  const { rig, meter, process } = playBusy();
  rig.restartBusy(2);
  playSecond({ rig, meter, used: [[process, 2]] }, 2, 0);
  playSecond({ rig, meter, used: [[process, 3]] }, 3, 1);
  assert.deepEqual(rig.parts(), { attributed: 20, gap: 10 });
});

test('attribution continues in a new ledger when the clock was set back', () => {
  const { rig, meter, process } = playBusy();
  rig.end(2, meter, ...process.restart(-3600), ...rig.restartBusy(-3600));
  const next = rig.createMeter({}, -3600);
  for (const atS of [0, 1, 2]) {
    rig.energy(next, atS - 3600, 10 * atS);
    rig.usage(atS - 3600, [[process, atS]]);
    rig.boundary(atS - 3600, atS);
  }
  const ended = rig.out.tables.flatMap((table) => table.ended ?? []);
  assert.ok(ended.some(({ metric }) => metric.name === 'process.energy'));
  assert.deepEqual(rig.parts(), { attributed: 20 });
  assert.deepEqual(rig.processes(), { 1: 30 });
  assert.equal(rig.out.last('process.energy').at(-1)?.series.start, unixNs(-3600));
});

test('attribution merges windows while the energy cannot be read', () => {
  const { rig, meter, process } = playBusy();
  const other = new RigProcess({ 'process.pid': 2 }, 1);
  rig.usage(2, [
    [process, 1.25],
    [other, 0.75],
  ]);
  rig.energy(meter, 2, NaN);
  rig.boundary(2, 2);
  rig.end(2, ...other.series);
  assert.deepEqual(rig.processes(), { 1: 10 });
  playSecond({ rig, meter, used: [[process, 2.25]] }, 3);
  assert.deepEqual(rig.processes(), { 1: 22.5, 2: 7.5 });
  assert.equal(rig.out.tables.at(-1)?.ended?.length, 1);
});

test('attribution attributes nothing while a counter is reset, and continues afterwards', () => {
  const { rig, meter, process } = playBusy();
  const next = rig.createMeter({}, 1.5);
  rig.end(1.5, meter);
  rig.energy(next, 1.5, 0);
  rig.usage(2, [[process, 2]]);
  rig.energy(next, 2, 5);
  rig.boundary(2, 2);
  rig.usage(3, [[process, 3]]);
  rig.energy(next, 3, 15);
  rig.boundary(3, 3);
  assert.deepEqual(rig.parts(), { attributed: 25 });
  assert.deepEqual(rig.processes(), { 1: 25 });
});

test("attribution books the energy from a counter's start to its first row", () => {
  const { rig, meter, process } = playBusy();
  // A reset was confirmed by the second reading after it, and the counter counts from the first one.
  const next = rig.createMeter({}, 2);
  rig.usage(2, [[process, 2]]);
  rig.boundary(2, 2);
  rig.end(2, meter);
  rig.usage(3, [[process, 3]]);
  rig.energy(next, 3, 10);
  rig.boundary(3, 3);
  rig.usage(4, [[process, 4]]);
  rig.energy(next, 4, 20);
  rig.boundary(4, 4);
  assert.deepEqual(rig.parts(), { attributed: 30 });
  assert.deepEqual(rig.processes(), { 1: 30 });
});

test('attribution books no energy that a counter had counted long before the ledger started', () => {
  const rig = new Rig();
  const process = new RigProcess({ 'process.pid': 1 }, 0);
  const meter = rig.createMeter({}, -3600);
  for (const atS of [0, 1]) {
    rig.energy(meter, atS, 1e6 + 10 * atS);
    rig.usage(atS, [[process, atS]]);
    rig.boundary(atS, atS);
  }
  assert.deepEqual(rig.parts(), { attributed: 10 });
});

test('attribution treats a counter that falls as a new one', () => {
  const { rig, meter, process } = playBusy();
  rig.usage(2, [[process, 2]]);
  rig.energy(meter, 2, 3);
  rig.boundary(2, 2);
  rig.usage(3, [[process, 3]]);
  rig.energy(meter, 3, 13);
  rig.boundary(3, 3);
  assert.deepEqual(rig.parts(), { attributed: 20 });
});

test('attribution loses nothing of one domain when another cannot be read', () => {
  const rig = new Rig();
  const meters = [0, 1].map((id) => rig.createMeter({ 'hw.id': `package-${id}` }));
  const process = new RigProcess({ 'process.pid': 1 }, 0);
  for (const [atS, first, second] of [
    [0, 0, 0],
    [1, 10, 5],
    [2, NaN, 10],
    [3, 30, 15],
  ]) {
    rig.energy(meters[0], atS, first);
    rig.energy(meters[1], atS, second);
    rig.usage(atS, [[process, atS]]);
    rig.boundary(atS, atS);
  }
  assert.deepEqual(rig.parts('package-0'), { attributed: 30 });
  assert.deepEqual(rig.parts('package-1'), { attributed: 15 });
  assert.deepEqual(rig.processes(), { 1: 45 });
});

test('attribution puts energy that arrives after that of other domains into the next row', () => {
  const rig = new Rig();
  const meters = [0, 1].map((id) => rig.createMeter({ 'hw.id': `package-${id}` }));
  const process = new RigProcess({ 'process.pid': 1 }, 0);
  rig.energy(meters[1], -1, 0);
  for (const atS of [0, 1, 2]) {
    rig.energy(meters[0], atS, 10 * atS);
    rig.usage(atS, [[process, atS]]);
    rig.boundary(atS, atS);
    rig.energy(meters[1], atS, 5 * (atS + 1));
  }
  assert.deepEqual(rig.processes(), { 1: 25 });
  void rig.processor.shutdown();
  assert.deepEqual(rig.processes(), { 1: 30 });
  const instants = rig.out.tables
    .filter(({ series }) => series[0].metric.name === 'ledger.energy')
    .map(({ epoch }) => epoch);
  assert.deepEqual(instants, [unixNs(0), unixNs(1), unixNs(2), unixNs(2) + 1n]);
});

test('attribution ends the published series of a domain whose counter ended long ago', () => {
  const { rig, meter } = playBusy({ max_window: '10s' });
  rig.end(1, meter);
  for (let atS = 2; atS < 15; atS++) rig.boundary(atS, atS);
  assert.deepEqual(
    rig.out.tables.at(-1)?.ended?.map(({ metric }) => metric.name),
    [
      'ledger.energy',
      ...['error', 'unattributed', 'refresh.ratio', 'tick.ratio', 'residual'].map(
        (name) => `attribution.${name}`,
      ),
    ],
  );
});

test('attribution keeps idle energy as a separate part if there is no process to charge', () => {
  const rig = new Rig({ floor: [{ power: 4 }], idle: 'proportional' });
  const meter = rig.createMeter();
  playSecond({ rig, meter, used: [] }, 0, 0);
  playSecond({ rig, meter, used: [] }, 1, 0);
  assert.deepEqual(rig.parts(), { attributed: 0, idle: 4, no_usage: 6 });
});

test('attribution ignores readings of a counter that has a successor', () => {
  const { rig, meter, process } = playBusy();
  const next = rig.createMeter({}, 1);
  rig.energy(next, 1, 0);
  for (const atS of [2, 3]) {
    rig.energy(meter, atS, 10 * atS);
    rig.energy(next, atS, 10 * (atS - 1));
    rig.usage(atS, [[process, atS]]);
    rig.boundary(atS, atS);
  }
  assert.deepEqual(rig.parts(), { attributed: 30 });
});

test('attribution continues with a domain whose counter returns in time', () => {
  const { rig, meter, process } = playBusy({ max_window: '10s' });
  rig.end(1, meter);
  for (let atS = 2; atS < 8; atS++) rig.boundary(atS, atS);
  const next = rig.createMeter({}, 8);
  for (let atS = 8; atS < 20; atS++) {
    rig.energy(next, atS, 10 * (atS - 8));
    rig.usage(atS, [[process, atS]]);
    rig.boundary(atS, atS);
  }
  assert.deepEqual(rig.parts(), { attributed: 120 });
  const ended = rig.out.tables.flatMap((table) => table.ended ?? []);
  assert.ok(ended.every(({ metric }) => metric.name !== 'ledger.energy'));
});

test('attribution charges what a meter counted during its pause by the usage of that time', () => {
  const { rig, meter, process } = playBusy();
  const late = new RigProcess({ 'process.pid': 2 }, 3);
  rig.energy(meter, 1, NaN);
  rig.usage(2, [[process, 2]]);
  rig.boundary(2, 2);
  rig.usage(4, [
    [process, 3],
    [late, 1],
  ]);
  rig.boundary(4, 4);
  assert.deepEqual(rig.processes(), { 1: 10 });
  // It is read at the end of the pause: 30 J more, for 3 s of CPU time, one of them by the process that started
  // in the meantime.
  rig.energy(meter, 4, 40);
  rig.boundary(4.5, 4.5);
  assert.deepEqual(rig.processes(), { 1: 30, 2: 10 });
  assert.deepEqual(rig.parts(), { attributed: 40 });
});

test('attribution charges what was measured during a pause of the usage by the usage of the whole pause', () => {
  const { rig, meter, process } = playBusy();
  rig.usage(1, [[process, NaN]]);
  rig.boundary(1, NaN);
  for (const atS of [2, 3, 4]) rig.energy(meter, atS, 10 * atS);
  const late = new RigProcess({ 'process.pid': 2 }, 2);
  rig.usage(4, [
    [process, 2.5],
    [late, 1.5],
  ]);
  rig.boundary(4, 4);
  assert.deepEqual(rig.processes(), { 1: 25, 2: 15 });
  assert.deepEqual(rig.parts(), { attributed: 40 });
});
