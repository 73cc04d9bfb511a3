import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Series } from '../../src/model/series.js';
import { createCgroup, playSecond, Rig, RigProcess } from './rig.fixture.js';

const views = ['process', 'program', 'cgroup', 'unit'];

/** A rig with 10 W per busy CPU, and usage specified by the test for each second. */
class Seconds {
  readonly rig = new Rig({ views, process_limit: 0, group_limit: 0 });
  readonly #meter = this.rig.createMeter();
  #atS = 0;
  #busyS = 0;

  /** @param busyS of the machine in this second */
  next(
    busyS: number,
    cgroups: Parameters<Rig['cgroupUsage']>[1],
    used: Parameters<Rig['usage']>[1] = [],
  ): this {
    this.#busyS += busyS;
    this.rig.energy(this.#meter, this.#atS, 10 * this.#busyS);
    this.rig.usage(this.#atS, used);
    this.rig.cgroupUsage(this.#atS, cgroups);
    this.rig.boundary(this.#atS, this.#busyS);
    this.#atS += 1;
    return this;
  }

  end(...series: readonly Series[]): this {
    this.rig.end(this.#atS - 1, ...series);
    return this;
  }
}

test('attribution charges a cgroup for usage that no process explains, as a separate workload', () => {
  const attributes = { 'systemd.unit': 'a.service', 'process.linux.cgroup': '0::/a' };
  const process = new RigProcess({ 'process.pid': 1, 'process.executable.name': 'cc', ...attributes }, 0);
  const cgroup = createCgroup('/a', 0, { 'systemd.unit': 'a.service' });
  const { rig } = new Seconds()
    .next(0, [[cgroup, 0]], [[process, 0]])
    .next(1, [[cgroup, 0.7]], [[process, 0.4]]);
  assert.deepEqual(rig.processes(), { 1: 4, undefined: 3 });
  assert.deepEqual(rig.cgroups(), { '/a': 7 });
  assert.deepEqual(rig.parts(), { attributed: 7, unseen: 3 });
  const published = (metric: string) =>
    rig.out.last(metric).map(({ series, value }) => [series.resource.attributes, value]);
  const host = { 'host.name': 'rig' };
  assert.deepEqual(published('program.energy'), [
    [{ ...host, 'process.executable.name': 'cc', 'systemd.unit': 'a.service' }, 4],
    [{ ...host, 'process.executable.name': 'unseen', 'systemd.unit': 'a.service' }, 3],
  ]);
  assert.deepEqual(published('systemd.unit.energy'), [[{ ...host, 'systemd.unit': 'a.service' }, 7]]);
});

for (const ownS of [0, 0.2]) {
  test(`attribution charges a child cgroup that is read a little before its parent, which uses ${ownS} s itself, all but one such delay`, () => {
    const [a, x] = [createCgroup('/a', 0), createCgroup('/a/x', 0)];
    const seconds = new Seconds();
    for (let atS = 0; atS <= 60; atS++) {
      // Every other time it is read 0.1 s before its parent, or the agent had to wait in between.
      const childS = 0.5 * atS - (atS % 2) * 0.05;
      seconds.next(atS === 0 ? 0 : 0.5 + ownS, [
        [a, (0.5 + ownS) * atS],
        [x, childS],
      ]);
    }
    const { '/a/x': child = NaN, '/a': own = 0 } = seconds.rig.cgroups();
    assert.ok(child >= 10 * 0.5 * 60 - 0.5 - 1e-6 && child <= 10 * 0.5 * 60 + 1e-6, `${child} J`);
    assert.ok(Math.abs(child + own - 10 * (0.5 + ownS) * 60) < 1e-6, `${child} and ${own} J`);
  });
}

test('attribution leaves to a cgroup what neither its processes nor its child cgroups explain', () => {
  const [a, x, y] = ['/a', '/a/x', '/a/y'].map((path) => createCgroup(path, 0)) as [Series, Series, Series];
  const process = new RigProcess({ 'process.pid': 1, 'process.linux.cgroup': '0::/a/x/y' }, 0);
  const { rig } = new Seconds()
    .next(
      0,
      [
        [a, 0],
        [x, 0],
        [y, 0],
      ],
      [[process, 0]],
    )
    .next(
      1,
      [
        [a, 0.9],
        [x, 0.5],
        [y, 0.1],
      ],
      [[process, 0.3]],
    );
  assert.deepEqual(rig.cgroups(), { '/a/x/y': 3, '/a/x': 2, '/a/y': 1, '/a': 3 });
  assert.deepEqual(rig.parts(), { attributed: 9, unseen: 1 });
});

/** CPU seconds of the rows of the example in docs/ledger.md, in order. */
function readExample(): readonly number[] {
  const [, , table = ''] =
    /\n\| Workload +\| CPU time \(s\) .*\n(\|.*\n)((?:\|.*\n)+)/.exec(
      readFileSync('docs/ledger.md', 'utf8'),
    ) ?? [];
  return [...table.matchAll(/^\|[^|]*\|\s*([\d.]+)/gm)].map(([, seconds]) => Number(seconds));
}

test('attribution reproduces the example of cgroups in docs/ledger.md', () => {
  const [a, x] = ['/a', '/a/x'].map((path) => createCgroup(path, 0)) as [Series, Series];
  const process = new RigProcess({ 'process.pid': 1, 'process.linux.cgroup': '0::/a/x' }, 0);
  const use = (aS: number, xS: number) =>
    [
      [a, aS],
      [x, xS],
    ] as const;
  const { rig } = new Seconds().next(0, use(0, 0), [[process, 0]]).next(1, use(0.9, 0.5), [[process, 0.3]]);
  const joules = rig.out.last('process.energy').map(({ series: { resource }, value }) => {
    const { 'process.pid': pid, 'linux.cgroup.path': path } = resource.attributes;
    return [pid === 1 ? 'process' : String(path), value] as const;
  });
  const { process: ofProcess, '/a/x': ofX, '/a': ofA } = Object.fromEntries(joules);
  const computed = [ofProcess, ofX, ofA, rig.parts()['unseen']];
  assert.deepEqual(
    computed,
    readExample().map((seconds) => 10 * seconds),
  );
});

test('attribution ends a cgroup with its last reading, and leaves the rest to its nearest ancestor', () => {
  const [a, x] = ['/a', '/a/x/y'].map((path) => createCgroup(path, 0)) as [Series, Series];
  const seconds = new Seconds().next(0, [
    [a, 0],
    [x, 0],
  ]);
  seconds.next(1, [
    [a, 0.5],
    [x, 0.5],
  ]);
  seconds.end(x);
  const { rig } = seconds.next(1, [[a, 0.8]]);
  assert.deepEqual(rig.cgroups(), { '/a/x/y': 5, '/a': 3 });
  const ended = rig.out.tables.flatMap((table) => table.ended ?? []).map(({ metric }) => metric.name);
  assert.deepEqual(ended, ['linux.cgroup.cpu.time', 'process.energy']);
});

test('attribution counts all usage of a new cgroup, and none that an old one had before it was seen', () => {
  const old = createCgroup('/old', -1000);
  const young = createCgroup('/young', 1.5);
  const { rig } = new Seconds()
    .next(0, [])
    .next(1, [[old, 100]])
    .next(1, [
      [old, 100.25],
      [young, 0.25],
    ])
    .next(1, [
      [old, 100.5],
      [young, 0.25],
    ]);
  assert.deepEqual(rig.cgroups(), { '/old': 5, '/young': 2.5 });
});

test('attribution charges no cgroup twice for a process that moved there unnoticed', () => {
  const [a, x, y] = ['/a', '/a/x', '/a/y'].map((path) => createCgroup(path, 0)) as [Series, Series, Series];
  const process = new RigProcess({ 'process.pid': 1, 'process.linux.cgroup': '0::/a/x' }, 0);
  const seconds = new Seconds();
  for (const second of [0, 1, 2, 3, 4]) {
    const moved = Math.max(0, second - 2);
    const used = [
      [a, second],
      [x, second - moved],
      [y, moved],
    ] as const;
    seconds.next(second === 0 ? 0 : 2, used, [[process, second]]);
  }
  assert.deepEqual(seconds.rig.cgroups(), { '/a/x': 40 });
  assert.deepEqual(seconds.rig.parts(), { attributed: 40, unseen: 40 });
});

test('attribution takes nothing from processes when cgroups used more than the busy time of the machine', () => {
  const cgroup = createCgroup('/a', 0);
  const process = new RigProcess({ 'process.pid': 1, 'process.linux.cgroup': '0::/b' }, 0);
  const { rig } = new Seconds()
    .next(0, [[cgroup, 0]], [[process, 0]])
    .next(1, [[cgroup, 1]], [[process, 0.75]]);
  assert.deepEqual(rig.cgroups(), { '/b': 7.5, '/a': 2.5 });
  assert.deepEqual(rig.parts(), { attributed: 10 });
});

test('attribution charges a cgroup later for usage that exceeded the busy time because of its ticks', () => {
  const cgroup = createCgroup('/a', 0);
  const { rig } = new Seconds()
    .next(0, [[cgroup, 0]])
    .next(0.3, [[cgroup, 0.35]])
    .next(0.25, [[cgroup, 0.55]])
    .next(1, [[cgroup, 0.55]]);
  assert.deepEqual(rig.cgroups(), { '/a': 5.5 });
});

test('attribution counts the usage of cgroups from the first boundary on', () => {
  const cgroup = createCgroup('/a', -0.5);
  const rig = new Rig({ views });
  const meter = rig.createMeter();
  for (const atS of [0, 1]) {
    rig.cgroupUsage(atS - 0.5, [[cgroup, (atS * 4) / 10]]);
    playSecond({ rig, meter, used: [] }, atS);
  }
  assert.deepEqual(rig.cgroups(), { '/a': 2 });
});

test('attribution counts processes without a cgroup against the usage of cgroups, and those of the root against none', () => {
  const cgroup = createCgroup('/a', 0);
  const thread = new RigProcess({ 'process.pid': 2, 'process.linux.cgroup': '0::/' }, 0);
  const unknown = new RigProcess({ 'process.pid': 1 }, 0);
  const use = (unknownS: number, threadS: number) =>
    [
      [unknown, unknownS],
      [thread, threadS],
    ] as const;
  const { rig } = new Seconds().next(0, [[cgroup, 0]], use(0, 0)).next(1, [[cgroup, 0.5]], use(0.4, 0.2));
  assert.deepEqual(rig.cgroups(), { none: 4, '/': 2, '/a': 1 });
});

test('attribution completes the root where the collector sees only a part of the machine', () => {
  const [root, cgroup] = ['/', '/a'].map((path) => createCgroup(path, 0)) as [Series, Series];
  const use = (rootS: number, cgroupS: number) =>
    [
      [root, rootS],
      [cgroup, cgroupS],
    ] as const;
  const { rig } = new Seconds().next(0, use(0, 0)).next(2, use(1, 0.25));
  assert.deepEqual(rig.cgroups(), { '/': 7.5, '/a': 2.5 });
  assert.deepEqual(rig.parts(), { attributed: 10, unseen: 10 });
});

test('attribution uses the readings of processes while the reading of a cgroup is late', () => {
  const cgroup = createCgroup('/a', 0);
  const process = new RigProcess({ 'process.pid': 1, 'process.linux.cgroup': '0::/a' }, 0);
  const rig = new Rig({ views });
  const meter = rig.createMeter();
  for (let atS = 0; atS <= 12; atS++) {
    // Read once in four seconds, half a second before the boundary.
    if (atS % 4 === 0) rig.cgroupUsage(atS - 0.5, [[cgroup, Math.max(0, atS - 0.5)]]);
    playSecond({ rig, meter, used: [[process, atS]] }, atS);
  }
  assert.deepEqual(rig.processes(), { 1: 120 });
});

test('attribution ignores a missing reading of a cgroup', () => {
  const cgroups = ['/a', '/b'].map((path) => createCgroup(path, -1)) as [Series, Series];
  const rig = new Rig({ views });
  const meter = rig.createMeter();
  for (const [atS, second] of [0, NaN, 2].entries()) {
    rig.cgroupUsage(
      atS,
      cgroups.map((cgroup, i) => [cgroup, (i === 0 ? second : atS) / 4]),
    );
    playSecond({ rig, meter, used: [] }, atS);
  }
  assert.deepEqual(rig.cgroups(), { '/a': 5, '/b': 5 });
});

test('attribution removes cgroups that have ended', () => {
  const seconds = new Seconds();
  for (let count = 0; count < 200; count++) {
    const cgroup = createCgroup(`/a/job-${count}`, count - 0.5);
    seconds.next(1, [[cgroup, 0.5]]).end(cgroup);
  }
  const { rig } = seconds.next(0, []).next(0, []);
  assert.equal(rig.out.last('linux.cgroup.energy').length, 199);
  const open = new Set(rig.out.last('process.energy').map(({ series }) => series));
  for (const { ended = [] } of rig.out.tables) for (const series of ended) open.delete(series);
  assert.equal(open.size, 0);
});
