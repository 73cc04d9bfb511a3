import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Series } from '../../src/model/series.js';
import { createCounts, createEvent, createMember, createTraffic } from './counts.fixture.js';
import { createCgroup, Rig, RigProcess } from './rig.fixture.js';

/** Bytes per second that a group moves from caches of packages 0 and 1, and the part to their own memory. */
interface Moved {
  readonly total: readonly number[];
  readonly local?: readonly number[];
}

interface Play {
  /** For each process, its CPU seconds per second on packages 0 and 1. */
  readonly used: readonly (readonly [RigProcess, readonly number[]])[];
  readonly groups?: Readonly<Record<string, Moved>>;
  readonly members?: readonly Series[];
  /** Counters of events, and their growth per second. */
  readonly events?: readonly (readonly [Series, number])[];
  readonly settings?: object;
  readonly seconds?: number;
}

/** Plays a machine whose memory uses 100 J on package 0 and 200 J on package 1 per second; 2 CPUs of each are busy. */
function play({ used, groups = {}, members = [], events = [], settings = {}, seconds = 1 }: Play): Rig {
  const rig = new Rig({ cpu_count: 4, process_limit: 0, ...settings });
  const meters = [0, 1].map((number) => rig.createMeter({ 'hw.type': 'memory', 'hw.id': `dram-${number}` }));
  const traffic = Object.entries(groups).flatMap(([group, { total, local }]) =>
    total.flatMap((bytes, number) => [
      [createTraffic(group, number), bytes] as const,
      ...(local ? [[createTraffic(group, number, 0, true), local[number]] as const] : []),
    ]),
  );
  const counted = [...traffic, ...events];
  for (let atS = 0; atS <= seconds; atS++) {
    meters.forEach((meter, number) => rig.energy(meter, atS, 100 * (number + 1) * atS));
    const cells = counted.map(([series, growth]) => [series, growth * atS] as const);
    const all = [...members.map((member) => [member, 1] as const), ...cells];
    if (all.length > 0) rig.consume(createCounts(atS, all));
    rig.packageUsage(
      atS,
      used.map(([process, cpus]) => [process, atS * (cpus[0] + cpus[1]), cpus.map((cpu) => atS * cpu)]),
    );
    rig.boundary(atS, 4 * atS, [2 * atS, 2 * atS]);
  }
  return rig;
}

function createProcess(pid: number, cgroup = '/a'): RigProcess {
  return new RigProcess({ 'process.pid': pid, 'process.linux.cgroup': cgroup }, 0);
}

const round = (joules: Record<string, number>) =>
  Object.fromEntries(Object.entries(joules).map(([key, value]) => [key, Math.round(value * 1e3) / 1e3]));

function modelsOf(rig: Rig): readonly unknown[] {
  const models = rig.out
    .last('process.energy')
    .map(({ series }) => series.attributes['energy.attribution.model']);
  return [...new Set(models)];
}

const [a, b, c] = [1, 2, 3].map((pid) => createProcess(pid));
const onFirst = [1, 0];
const members = [createMember('/mon_groups/a', 1), createMember('/batch', 2)];

test('attribution shares energy of memory by the bytes that resctrl groups moved', () => {
  // Besides the two groups, the default group has 20 of 100 bytes, all of them of process 3: the seen second is
  // the only one on package 0.
  const rig = play({
    used: [
      [a, [0.5, 0]],
      [b, [0.5, 0]],
      [c, [1, 0]],
    ],
    groups: {
      '/': { total: [90, 0] },
      '/mon_groups/a': { total: [70, 0] },
      '/batch': { total: [10, 0] },
    },
    members,
  });
  assert.deepEqual(round(rig.processes()), { 1: 70, 2: 10, 3: 20 });
  assert.deepEqual(modelsOf(rig), ['memory_bandwidth']);
  // No seen process moved bytes to the memory of the second package: it is shared by CPU time.
  assert.deepEqual(round(rig.parts('dram-1')), { attributed: 0, unseen: 200 });
});

test('attribution charges traffic to the memory of another package to that package', () => {
  const rig = play({
    used: [
      [a, [1, 0]],
      [b, [0, 1]],
      [c, [1, 0]],
    ],
    // Process 1 moves 40 of 100 bytes to the memory of package 1, process 2 all its 60 to local memory.
    groups: {
      '/': { total: [100, 0], local: [60, 0] },
      '/mon_groups/a': { total: [100, 0], local: [60, 0] },
      '/batch': { total: [0, 60], local: [0, 60] },
    },
    members,
  });
  assert.deepEqual(round(rig.processes()), { 1: 100 + 200 * 0.4, 2: 200 * 0.6 });
});

test('attribution divides the bytes of a group by CPU time, and charges those of unknown processes to none', () => {
  const rig = play({
    used: [
      [a, [0.5, 0]],
      [b, [0.25, 0]],
      [c, [0.25, 0]],
    ],
    groups: { '/': { total: [100, 0] }, '/mon_groups/x': { total: [60, 0] } },
    members: [createMember('/mon_groups/x', 1), createMember('/mon_groups/x', 2)],
  });
  // Of 2 s on the package, the default group has 1.25 s, of which 1 s was not seen.
  assert.deepEqual(round(rig.processes()), { 1: 40, 2: 20, 3: 8 });
  assert.deepEqual(round(rig.parts('dram-0')), { attributed: 68, unseen: 32 });
});

test('attribution counts a monitoring group within its control group only once, and an uncounted one together with it', () => {
  const used = [
    [a, [0.5, 0]],
    [b, [0.5, 0]],
    [c, [1, 0]],
  ] as const;
  const groups = { '/': { total: [10, 0] }, '/batch': { total: [90, 0] } };
  const inBatch = [createMember('/batch/mon_groups/x', 1), createMember('/batch', 2)];
  const whole = play({
    used,
    members: inBatch,
    groups: { ...groups, '/batch/mon_groups/x': { total: [60, 0] } },
  });
  assert.deepEqual(round(whole.processes()), { 1: 60, 2: 30, 3: 10 });
  const part = play({ used, members: inBatch, groups });
  assert.deepEqual(round(part.processes()), { 1: 45, 2: 45, 3: 10 });
});

test('attribution treats a group with CPUs as a part of the default group', () => {
  const rig = play({
    used: [
      [a, [1, 0]],
      [b, [0.5, 0]],
      [c, [0.5, 0]],
    ],
    groups: { '/': { total: [50, 0] }, '/mon_groups/a': { total: [30, 0] }, '/batch': { total: [50, 0] } },
    members: [...members, createMember('/batch')],
  });
  assert.deepEqual(round(rig.processes()), { 1: 30, 2: 35, 3: 35 });
});

test('attribution finds the group of usage that no process explains by the processes of its cgroup', () => {
  const rig = new Rig({ cpu_count: 4, process_limit: 0 });
  const meter = rig.createMeter({ 'hw.type': 'memory', 'hw.id': 'dram-0' });
  const [inA, inB] = [createProcess(1, '0::/a'), createProcess(2, '0::/b')];
  const cgroups = ['/a', '/b'].map((path) => createCgroup(path, 0));
  const traffic = ['/', '/mon_groups/a'].map((group) => createTraffic(group, 0));
  for (const atS of [0, 1, 2]) {
    rig.energy(meter, atS, 100 * atS);
    rig.consume(
      createCounts(atS, [
        [createMember('/mon_groups/a', 1), 1],
        [traffic[0], 100 * atS],
        [traffic[1], 90 * atS],
      ]),
    );
    rig.cgroupUsage(atS, [
      [cgroups[0], 2 * atS],
      [cgroups[1], atS],
    ]);
    rig.usage(atS, [
      [inA, atS],
      [inB, atS],
    ]);
    rig.boundary(atS, 3 * atS);
  }
  const { '/a': first = 0, '/b': second = 0 } = rig.cgroups();
  assert.ok(Math.abs(first - 180) < 1e-6 && Math.abs(second - 20) < 1e-6, `${first} J, ${second} J`);
  const unseen = rig.out
    .last('process.energy')
    .find(({ series }) => series.resource.attributes['process.executable.name'] === 'unseen');
  assert.ok((unseen?.value ?? 0) > 80);
});

test('attribution shares energy of memory by cache misses of processes or cgroups if there are no resctrl counts', () => {
  const x = createProcess(4, '/x/y');
  const used = [
    [a, [0.5, 0]],
    [b, [0.5, 0]],
    [c, [0.5, 0]],
    [x, [0.5, 0]],
  ] as const;
  const ofMachine = [createEvent('cache-misses'), 1000] as const;
  const one = play({ used, events: [ofMachine, [createEvent('cache-misses', a), 700]] });
  // Of the rest, 1.5 s of 3.5 s of the others' busy time; on package 1 no workload was seen.
  const restOnFirst = (300 * 1.5) / 3.5;
  const each = (100 * restOnFirst) / 3 / (700 + restOnFirst);
  const expected = { 1: (100 * 700) / (700 + restOnFirst), 2: each, 3: each, 4: each };
  assert.deepEqual(round(one.processes()), round(expected));
  assert.deepEqual(modelsOf(one), ['cache_misses']);
  const all = play({
    used,
    events: [
      ofMachine,
      [createEvent('cache-misses', createCgroup('/a', 0)), 600],
      [createEvent('cache-misses', a), 300],
      [createEvent('cache-misses', createCgroup('/x', 0)), 400],
    ],
  });
  assert.deepEqual(round(all.processes()), { 1: 30, 2: 15, 3: 15, 4: 40 });
});

test('attribution shares energy of memory by CPU time if counts add no information', () => {
  const used = [
    [a, [1, 0]],
    [b, [1, 0]],
  ] as const;
  const byTime = { 1: 50, 2: 50 };
  for (const rest of [
    {},
    // Everything is in one group, a control group has no counter, only the machine was counted, or it is
    // disabled.
    { groups: { '/': { total: [100, 0] } } },
    { groups: { '/': { total: [100, 0] }, '/mon_groups/a': { total: [70, 0] } }, members },
    { events: [[createEvent('cache-misses'), 100]] as const },
    {
      groups: { '/': { total: [100, 0] }, '/mon_groups/a': { total: [70, 0] } },
      members: [createMember('/mon_groups/a', 1)],
      settings: { weights: [{ hw_type: 'memory', model: 'cpu_time' }] },
    },
  ]) {
    const rig = play({ used, ...rest });
    assert.deepEqual(round(rig.processes()), byTime);
    assert.deepEqual(modelsOf(rig), ['cpu_time']);
  }
});

test('attribution logs a missing weight that is configured, but not a missing default', () => {
  const used = [[a, onFirst]] as const;
  const warn = /^warn: Sharing energy of memory "dram-0" by CPU time where memory traffic was not counted/u;
  const wanted = play({ used, seconds: 15, settings: { weights: [{ hw_type: 'memory', model: 'dram' }] } });
  assert.equal(wanted.logLines.filter((line) => warn.test(line)).length, 1);
  const byDefault = play({ used, seconds: 15 });
  assert.deepEqual(
    byDefault.logLines.filter((line) => line.startsWith('warn')),
    [],
  );
});
