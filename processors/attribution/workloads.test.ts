import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRow } from '../../src/model/table.js';
import { playBusy, playSecond, Rig, RigProcess, unixNs } from './rig.fixture.js';

test('attribution separates a reused pid from the earlier process', () => {
  const { rig, meter, process } = playBusy();
  rig.end(1.5, ...process.series);
  const next = new RigProcess({ 'process.pid': 1, 'process.creation.time': 'later' }, 1.5);
  playSecond({ rig, meter, used: [[next, 0.5]] }, 2);
  const values = rig.out.last('process.energy').map(({ series, value }) => [series.start, value]);
  assert.deepEqual(values, [
    [unixNs(0), 10],
    [unixNs(1.5), 5],
  ]);
});

test('attribution charges a process that was missed once only for its CPU time', () => {
  const { rig, meter, process } = playBusy();
  const other = new RigProcess({ 'process.pid': 2 }, 1);
  rig.end(1.9, ...process.series);
  playSecond({ rig, meter, used: [[other, 0]] }, 2);
  process.restart(3);
  playSecond(
    {
      rig,
      meter,
      used: [
        [other, 0],
        [process, 0],
      ],
    },
    3,
  );
  playSecond(
    {
      rig,
      meter,
      used: [
        [other, 0],
        [process, 1],
      ],
    },
    4,
  );
  assert.deepEqual(rig.processes(), { 1: 20 });
  assert.deepEqual(rig.parts(), { attributed: 20, unseen: 20 });
});

test('attribution continues with a process whose counters were reset before it was settled', () => {
  const { rig, meter, process } = playBusy();
  const old = process.restart(1.2);
  rig.end(1.2, ...old);
  playSecond({ rig, meter, used: [[process, 0.8]] }, 2);
  const all = rig.out.last('process.energy');
  assert.deepEqual(
    all.map(({ value }) => value),
    [18],
  );
});

test('attribution does not charge processes for unseen usage', () => {
  const rig = new Rig();
  const meter = rig.createMeter();
  const survivor = new RigProcess({ 'process.pid': 1 }, 0);
  playSecond({ rig, meter, used: [[survivor, 0]] }, 0);
  playSecond({ rig, meter, used: [[survivor, 0.1]] }, 1);
  assert.deepEqual(rig.processes(), { 1: 1 });
  assert.deepEqual(rig.parts(), { attributed: 1, unseen: 9 });
});

test('attribution settles the last usage of a process before it ends its published series', () => {
  const { rig, meter, process } = playBusy();
  rig.usage(1.4, [[process, 1.4]]);
  rig.end(1.5, ...process.series);
  playSecond({ rig, meter, used: [] }, 2);
  assert.deepEqual(rig.processes(), { 1: 14 });
  const ended = rig.out.tables.at(-1)?.ended?.map(({ metric }) => metric.name);
  assert.deepEqual(ended, ['process.energy']);
  playSecond({ rig, meter, used: [] }, 3);
  const last = rig.out.tables.at(-1);
  assert.deepEqual(
    new Set(last?.series.map(({ metric }) => metric.name).filter((name) => name.endsWith('.energy'))),
    new Set(['ledger.energy', 'program.energy', 'linux.cgroup.energy']),
  );
  assert.deepEqual(rig.cgroups(), { '/a': 14 });
});

test('attribution ends a program and a cgroup when they have been empty for a minute', () => {
  const { rig, meter, process } = playBusy();
  rig.end(1.5, ...process.series);
  for (let atS = 2; atS < 62; atS++) playSecond({ rig, meter, used: [] }, atS);
  assert.equal(rig.out.tables.at(-1)?.ended, undefined);
  playSecond({ rig, meter, used: [] }, 62);
  assert.deepEqual(
    rig.out.tables.at(-1)?.ended?.map(({ metric }) => metric.name),
    ['program.energy', 'linux.cgroup.energy'],
  );
});

test('attribution charges a process that started and ended between two scans', () => {
  const { rig, meter, process } = playBusy();
  const short = new RigProcess({ 'process.pid': 2 }, 1.2);
  rig.usage(1.3, [[short, 0.1]]);
  rig.end(1.3, ...short.series);
  playSecond({ rig, meter, used: [[process, 1.9]] }, 2);
  assert.deepEqual(rig.processes(), { 1: 19, 2: 1 });
});

test('attribution interpolates the usage at the boundary from readings around it', () => {
  const rig = new Rig();
  const meter = rig.createMeter();
  const process = new RigProcess({ 'process.pid': 1 }, 0.1);
  for (const atS of [0, 1, 2, 3]) {
    rig.energy(meter, atS, 10 * atS);
    rig.usage(atS + 0.1, [[process, atS]]);
    rig.boundary(atS, atS);
  }
  assert.deepEqual(rig.processes(), { 1: 9 + 10 + 10 });
});

test("attribution shares by the workloads' usage if it exceeds the busy time of the machine", () => {
  const rig = new Rig();
  const meter = rig.createMeter();
  const processes = [1, 2].map((pid) => new RigProcess({ 'process.pid': pid }, 0));
  playSecond(
    {
      rig,
      meter,
      used: [
        [processes[0], 0],
        [processes[1], 0],
      ],
    },
    0,
  );
  playSecond(
    {
      rig,
      meter,
      used: [
        [processes[0], 0.9],
        [processes[1], 0.6],
      ],
    },
    1,
    1,
  );
  assert.deepEqual(rig.processes(), { 1: 6, 2: 4 });
  assert.deepEqual(rig.parts(), { attributed: 10 });
});

test('attribution never lets a cgroup fall when its processes end', () => {
  const { rig, meter, process } = playBusy();
  rig.end(1, ...process.series);
  playSecond({ rig, meter, used: [] }, 2);
  const next = new RigProcess({ 'process.pid': 2, 'process.linux.cgroup': '/a' }, 2);
  playSecond({ rig, meter, used: [[next, 1]] }, 3);
  assert.deepEqual(
    rig.out.last('linux.cgroup.energy').map(({ value }) => value),
    [20],
  );
});

test('attribution keeps a process of which only one counter has ended', () => {
  const { rig, meter, process } = playBusy();
  const [user, system] = process.series;
  rig.end(1.5, user);
  rig.energy(meter, 2, 20);
  rig.consume(createRow([system], unixNs(2), Float64Array.of(0.5)));
  rig.boundary(2, 2);
  assert.deepEqual(rig.processes(), { 1: 15 });
  assert.equal(rig.out.tables.at(-1)?.ended, undefined);
});

test('attribution counts nothing between the last reading of a counter and the start of the next', () => {
  const { rig, meter, process } = playBusy();
  rig.usage(1.5, [[process, 1.5]]);
  process.restart(1.9);
  rig.usage(2.1, [[process, 0.1]]);
  rig.energy(meter, 2, 20);
  rig.boundary(2, 2);
  assert.deepEqual(rig.processes(), { 1: 10 + 5 + 0.5 });
});

test('attribution counts nothing twice when tables arrive twice or late', () => {
  const { rig, meter, process } = playBusy();
  for (const atS of [2, 2, 3, 2, 4]) playSecond({ rig, meter, used: [[process, atS / 2]] }, atS);
  assert.deepEqual(rig.processes(), { 1: 10 + 0 + 5 + 5 });
  assert.deepEqual(rig.parts(), { attributed: 20, unseen: 20 });
});

test('attribution starts the counters of a process at its start time if it started in the window', () => {
  const { rig, meter, process } = playBusy();
  const late = new RigProcess({ 'process.pid': 2, 'process.linux.cgroup': '/b' }, 1.75);
  const early = new RigProcess({ 'process.pid': 3, 'process.linux.cgroup': '/b' }, 1.5);
  const used = [
    [process, 1.5],
    [late, 0.25],
    [early, 0.25],
  ] as const;
  playSecond({ rig, meter, used }, 2);
  const starts = (metric: string) => rig.out.last(metric).map(({ series, value }) => [series.start, value]);
  assert.deepEqual(starts('process.energy'), [
    [unixNs(0), 15],
    [unixNs(1.75), 2.5],
    [unixNs(1.5), 2.5],
  ]);
  assert.deepEqual(starts('linux.cgroup.energy'), [
    [unixNs(0), 15],
    [unixNs(1.5), 5],
  ]);
});
