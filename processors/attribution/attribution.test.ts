import assert from 'node:assert/strict';
import test from 'node:test';
import type { Series } from '../../src/model/series.js';
import { Rig, RigProcess, unixNs } from './test-rig.js';

const cpuMs = [100, 80, 70, 60, 200, 90, 110];

/** The worked example of ledger.md section 10, in two scans. */
function playExample(settings: object): Rig {
  const rig = new Rig(settings);
  const meter = rig.createMeter();
  const processes = cpuMs.map((_, i) => new RigProcess({ 'process.pid': i + 1 }, 0));
  rig.energy(meter, 0, 0);
  rig.usage(
    0,
    processes.map((process) => [process, 0]),
  );
  rig.boundary(0, 0);
  rig.energy(meter, 1, 60);
  rig.usage(
    1,
    processes.map((process, i) => [process, cpuMs[i] / 1000]),
  );
  rig.boundary(1, 1);
  return rig;
}

/** A rig with a meter of 10 W and one process that is busy all the time, played up to 1 s. */
function playBusy(settings: object = {}, cgroup = '/a') {
  const rig = new Rig(settings);
  const meter = rig.createMeter();
  const process = new RigProcess({ 'process.pid': 1, 'process.linux.cgroup': cgroup }, 0);
  playSecond({ rig, meter, used: [[process, 0]] }, 0);
  playSecond({ rig, meter, used: [[process, 1]] }, 1);
  return { rig, meter, process };
}

interface Scan {
  readonly rig: Rig;
  readonly meter: Series;
  readonly used: readonly (readonly [RigProcess, number])[];
}

/** A scan of a machine that uses 10 W and is busy on one CPU, all at one instant. */
function playSecond({ rig, meter, used }: Scan, atS: number, busyS = atS): void {
  rig.energy(meter, atS, 10 * atS);
  rig.usage(atS, used);
  rig.boundary(atS, busyS);
}

test('attribution gives the worked example of the ledger', () => {
  const rig = playExample({ floor: [{ power: 40 }] });
  assert.deepEqual(rig.processes(), { 1: 2.0, 2: 1.6, 3: 1.4, 4: 1.2, 5: 4.0, 6: 1.8, 7: 2.2 });
  assert.deepEqual(rig.parts(), { attributed: 14.2, idle: 40, unseen: 5.8 });
});

test('attribution gives the worked example with idle energy borne by CPU time', () => {
  const rig = playExample({ floor: [{ power: 40 }], idle: 'proportional' });
  assert.deepEqual(rig.processes(), { 1: 6.0, 2: 4.8, 3: 4.2, 4: 3.6, 5: 12.0, 6: 5.4, 7: 6.6 });
  assert.deepEqual(rig.parts(), { attributed: 42.6, idle: 0, unseen: 17.4 });
});

test('attribution gives the worked example with idle energy borne by all alike', () => {
  const rig = playExample({ floor: [{ power: 35 }], idle: 'equal' });
  assert.deepEqual(rig.processes(), { 1: 7.5, 2: 7, 3: 6.75, 4: 6.5, 5: 10, 6: 7.25, 7: 7.75 });
  assert.deepEqual(rig.parts(), { attributed: 52.75, idle: 0, unseen: 7.25 });
});

test('attribution passes every table on as it is, before what it makes of it', () => {
  const { rig } = playBusy();
  const names = rig.out.tables.map(({ series }) => series[0].metric.name);
  assert.deepEqual(names, [
    'hw.energy',
    'process.cpu.time',
    'system.cpu.busy.time',
    'hw.energy',
    'process.cpu.time',
    'system.cpu.busy.time',
    'ledger.energy',
  ]);
});

test('attribution publishes counters with who, how and since when', () => {
  const { rig } = playBusy();
  const [{ series, value }] = rig.out.last('process.energy');
  assert.equal(value, 10);
  assert.equal(series.resource.attributes['process.pid'], 1);
  assert.equal(series.start, unixNs(0));
  assert.deepEqual(series.attributes, {
    'hw.type': 'cpu',
    'energy.method': 'estimated',
    'energy.attribution.model': 'cpu_time',
  });
  const [cgroup] = rig.out.last('linux.cgroup.energy');
  assert.deepEqual(cgroup.series.resource.attributes, { 'host.name': 'rig', 'linux.cgroup.path': '/a' });
  const [part] = rig.out.last('ledger.energy');
  assert.deepEqual(part.series.attributes, {
    'hw.type': 'cpu',
    'hw.id': 'package-0',
    'ledger.part': 'attributed',
    'energy.method': 'estimated',
  });
});

test('attribution books nothing of what a counter held before the first boundary', () => {
  const rig = new Rig();
  const meter = rig.createMeter();
  rig.energy(meter, 0, 1e6);
  rig.boundary(0, 5000);
  rig.energy(meter, 1, 1e6 + 10);
  rig.boundary(1, 5001);
  assert.deepEqual(rig.parts(), { attributed: 0, unseen: 10 });
});

test('attribution keeps a reused pid apart from the one before', () => {
  const { rig, meter, process } = playBusy();
  rig.end(1.5, ...process.series);
  const next = new RigProcess({ 'process.pid': 1, 'process.creation.time': 'later' }, 1.5);
  playSecond({ rig, meter, used: [[next, 0.5]] }, 2);
  const values = rig.out.last('process.energy').map(({ series, value }) => [series.start, value]);
  assert.deepEqual(values, [
    [unixNs(0), 10],
    [unixNs(1), 5],
  ]);
});

test('attribution charges no lifetime to a process that was missed once', () => {
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

test('attribution goes on with a process whose counters began anew before it was settled', () => {
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

test('attribution does not let survivors pay for what nobody saw', () => {
  const rig = new Rig();
  const meter = rig.createMeter();
  const survivor = new RigProcess({ 'process.pid': 1 }, 0);
  playSecond({ rig, meter, used: [[survivor, 0]] }, 0);
  playSecond({ rig, meter, used: [[survivor, 0.1]] }, 1);
  assert.deepEqual(rig.processes(), { 1: 1 });
  assert.deepEqual(rig.parts(), { attributed: 1, unseen: 9 });
});

test('attribution settles the last usage of a process before it ends what it published', () => {
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
    new Set(last?.series.map(({ metric }) => metric.name)),
    new Set(['ledger.energy', 'linux.cgroup.energy']),
  );
  assert.deepEqual(rig.cgroups(), { '/a': 14 });
});

test('attribution ends a cgroup when it has been empty for a minute', () => {
  const { rig, meter, process } = playBusy();
  rig.end(1.5, ...process.series);
  for (let atS = 2; atS < 62; atS++) playSecond({ rig, meter, used: [] }, atS);
  assert.equal(rig.out.tables.at(-1)?.ended, undefined);
  playSecond({ rig, meter, used: [] }, 62);
  assert.deepEqual(
    rig.out.tables.at(-1)?.ended?.map(({ metric }) => metric.name),
    ['linux.cgroup.energy'],
  );
});

test('attribution gives a process that was born and ended between two scans its energy', () => {
  const { rig, meter, process } = playBusy();
  const short = new RigProcess({ 'process.pid': 2 }, 1.2);
  rig.usage(1.3, [[short, 0.1]]);
  rig.end(1.3, ...short.series);
  playSecond({ rig, meter, used: [[process, 1.9]] }, 2);
  assert.deepEqual(rig.processes(), { 1: 19, 2: 1 });
});

test('attribution takes the usage at the boundary from readings around it', () => {
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

test('attribution shares by what was used where that is more than the machine was busy', () => {
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

test('attribution names the energy of a time in which nobody was busy', () => {
  const rig = new Rig({ floor: [{ power: 4 }] });
  const meter = rig.createMeter();
  playSecond({ rig, meter, used: [] }, 0, 0);
  playSecond({ rig, meter, used: [] }, 1, 0);
  assert.deepEqual(rig.parts(), { attributed: 0, idle: 4, no_usage: 6 });
});

test('attribution leaves the energy of hardware that CPU time does not explain to nobody', () => {
  const rig = new Rig();
  const meter = rig.createMeter({ 'hw.type': 'gpu', 'hw.id': 'gpu-0' });
  const process = new RigProcess({ 'process.pid': 1 }, 0);
  playSecond({ rig, meter, used: [[process, 0]] }, 0);
  playSecond({ rig, meter, used: [[process, 1]] }, 1);
  assert.deepEqual(rig.parts('gpu-0'), { attributed: 0, no_usage: 10 });
  assert.deepEqual(rig.processes(), {});
});

test('attribution makes a gap of usage that was missing for too long', () => {
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

test('attribution makes a gap where the busy time began anew', () => {
  const { rig, meter, process } = playBusy();
  rig.restartBusy(2);
  playSecond({ rig, meter, used: [[process, 2]] }, 2, 0);
  playSecond({ rig, meter, used: [[process, 3]] }, 3, 1);
  assert.deepEqual(rig.parts(), { attributed: 20, gap: 10 });
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

test('attribution measures nothing while a counter begins anew, and goes on afterwards', () => {
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
  assert.deepEqual(rig.parts(), { attributed: 20 });
  assert.deepEqual(rig.processes(), { 1: 20 });
});

test('attribution takes a counter that falls for a new one', () => {
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

test('attribution puts energy that comes after that of other domains into the next row', () => {
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
  assert.deepEqual(instants, [unixNs(1), unixNs(2), unixNs(2) + 1n]);
});

test('attribution uses the floor that a model says and tells its source', () => {
  const rig = new Rig();
  const meter = rig.createMeter();
  rig.modelFloor(meter, 0, 4);
  playSecond({ rig, meter, used: [] }, 0);
  playSecond({ rig, meter, used: [] }, 1);
  assert.deepEqual(rig.parts(), { attributed: 0, idle: 4, unseen: 6 });
  const [floor] = rig.out.last('attribution.floor.power');
  assert.equal(floor.value, 4);
  assert.deepEqual(floor.series.attributes, {
    'hw.type': 'cpu',
    'hw.id': 'package-0',
    'floor.source': 'model',
    'energy.method': 'estimated',
  });
});

test('attribution prefers the floor that was set, for the domain that it was set for', () => {
  const rig = new Rig({
    floor: [
      { hw_id: 'other', power: 1 },
      { hw_type: 'cpu', power: 3 },
    ],
  });
  const meter = rig.createMeter();
  rig.modelFloor(meter, 0, 4);
  playSecond({ rig, meter, used: [] }, 0);
  playSecond({ rig, meter, used: [] }, 1);
  assert.equal(rig.parts()['idle'], 3);
  assert.equal(rig.out.last('attribution.floor.power')[0].series.attributes['floor.source'], 'set');
});

test('attribution learns a floor in quiet and uses it from the next window on', () => {
  const rig = new Rig();
  const meter = rig.createMeter({ 'energy.method': 'measured' });
  // Seen once a second, the meter may be refreshed once a second: a quiet window takes a hundred of them.
  for (let atS = 0; atS <= 6000; atS++) {
    rig.energy(meter, atS, 10 * atS);
    rig.boundary(atS, 0.01 * atS);
  }
  rig.energy(meter, 6001, 60_030);
  rig.boundary(6001, 61);
  assert.equal(rig.logLines.length, 1);
  assert.match(
    rig.logLines[0],
    /info: Cannot tell idle from other energy of cpu "package-0": its floor is not known/,
  );
  assert.deepEqual(rig.parts(), { attributed: 0, unseen: 60_020, idle: 10 });
});

test('attribution says nothing of idle energy while no floor is known', () => {
  const { rig } = playBusy();
  assert.deepEqual(rig.parts(), { attributed: 10 });
  assert.deepEqual(rig.out.last('attribution.floor.power'), []);
});

test('attribution puts processes without a cgroup into a group of their own', () => {
  const rig = new Rig();
  const meter = rig.createMeter();
  const inside = new RigProcess({ 'process.pid': 1, 'process.linux.cgroup': '0::/a.slice' }, 0);
  const outside = new RigProcess({ 'process.pid': 2 }, 0);
  playSecond(
    {
      rig,
      meter,
      used: [
        [inside, 0],
        [outside, 0],
      ],
    },
    0,
  );
  playSecond(
    {
      rig,
      meter,
      used: [
        [inside, 0.75],
        [outside, 0.25],
      ],
    },
    1,
  );
  assert.deepEqual(rig.cgroups(), { '/a.slice': 7.5, none: 2.5 });
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

test('attribution attributes to the views that are asked for', () => {
  const { rig } = playBusy({ views: ['cgroup'] });
  assert.deepEqual(rig.processes(), {});
  assert.deepEqual(rig.cgroups(), { '/a': 10 });
});

test('attribution ends what it published of a domain whose counter ended long ago', () => {
  const { rig, meter } = playBusy({ max_window: '10s' });
  rig.end(1, meter);
  for (let atS = 2; atS < 15; atS++) rig.boundary(atS, atS);
  assert.deepEqual(
    rig.out.tables.at(-1)?.ended?.map(({ metric }) => metric.name),
    ['ledger.energy'],
  );
});

test('attribution can be shut down without a start and twice', () => {
  const rig = new Rig();
  void rig.processor.shutdown();
  void rig.processor.shutdown();
  assert.deepEqual(rig.out.tables, []);
});
