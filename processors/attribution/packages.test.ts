import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Series } from '../../src/model/series.js';
import { createRandom } from '../../src/testing/random.fixture.js';
import { createCgroup, Rig, RigProcess } from './rig.fixture.js';

/** A machine with two packages that use 20 W when idle, and 30 and 60 J per CPU second. */
class TwoSockets {
  readonly rig: Rig;
  readonly processes: readonly RigProcess[];
  readonly #meters;
  readonly #costs = [30, 60];

  constructor(count: number, settings: object = {}) {
    this.rig = new Rig({ cpu_count: 8, floor: [{ power: 20 }], process_limit: 0, ...settings });
    this.processes = Array.from({ length: count }, (_, i) => new RigProcess({ 'process.pid': i + 1 }, 0));
    this.#meters = [0, 1].map((number) => this.rig.createMeter({ 'hw.id': `cpu-package-${number}` }));
  }

  /**
   * A scan of everything.
   * @param used by process, CPU seconds on each package
   * @param known by process, the part that is read; by default all
   * @param busy seconds of each package, if more than the usage
   */
  scan(
    atS: number,
    used: readonly (readonly number[])[],
    { known = used, busy = [0, 0] }: { known?: typeof used; busy?: readonly number[] } = {},
  ): void {
    const sums = [0, 1].map((number) =>
      used.reduce((sum, own) => sum + (own[number] ?? 0), busy[number] ?? 0),
    );
    this.#meters.forEach((meter, number) => {
      this.rig.energy(meter, atS, 20 * atS + (this.#costs[number] ?? 0) * (sums[number] ?? 0));
    });
    this.rig.packageUsage(
      atS,
      this.processes.map((process, i) => [process, total(used[i] ?? []), known[i] ?? []]),
    );
    this.rig.boundary(atS, total(sums), sums);
  }
}

function findNames(lists: readonly (readonly Series[])[]): ReadonlySet<string> {
  return new Set(lists.flat().map(({ metric }) => metric.name));
}

function total(parts: readonly number[]): number {
  return parts.reduce((sum, part) => sum + part, 0);
}

function round(joules: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(joules).map(([name, value]) => [name, Number(value.toFixed(6))]));
}

test('attribution charges each process for the packages that it ran on', () => {
  const machine = new TwoSockets(3);
  machine.scan(0, [
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
  machine.scan(1, [
    [1, 0],
    [0, 1],
    [1, 2],
  ]);
  // By CPU time of the machine each CPU second would cost 48 J.
  assert.deepEqual(round(machine.rig.processes()), { 1: 30, 2: 60, 3: 150 });
  assert.deepEqual(round(machine.rig.parts('cpu-package-0')), { attributed: 60, idle: 20 });
  assert.deepEqual(round(machine.rig.parts('cpu-package-1')), { attributed: 180, idle: 20 });
});

test('attribution charges exact usage first, and other usage from the rest', () => {
  const machine = new TwoSockets(3);
  machine.scan(0, [
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
  // The packages of the second and the third are not known: 1 s of each package remains, so each CPU second
  // costs them 45 J.
  machine.scan(
    1,
    [
      [2, 0],
      [1, 0],
      [0, 1],
    ],
    { known: [[2, 0], [], []] },
  );
  assert.deepEqual(round(machine.rig.processes()), { 1: 60, 2: 45, 3: 45 });
});

test('attribution leaves usage that no process explains on its package', () => {
  const machine = new TwoSockets(2);
  machine.scan(0, [
    [0, 0],
    [0, 0],
  ]);
  machine.scan(
    1,
    [
      [1, 0],
      [0, 1],
    ],
    { busy: [0, 2] },
  );
  assert.deepEqual(round(machine.rig.processes()), { 1: 30, 2: 60 });
  assert.deepEqual(round(machine.rig.parts('cpu-package-0')), { attributed: 30, idle: 20 });
  assert.deepEqual(round(machine.rig.parts('cpu-package-1')), { attributed: 60, idle: 20, unseen: 120 });
});

test('attribution charges by CPU time of the machine while the busy time of packages is not known', () => {
  const machine = new TwoSockets(2);
  machine.scan(
    0,
    [
      [0, 0],
      [0, 0],
    ],
    { busy: [NaN, 0] },
  );
  machine.scan(
    1,
    [
      [1, 0],
      [0, 1],
    ],
    { busy: [NaN, 0] },
  );
  assert.deepEqual(machine.rig.processes(), {});
  const { rig, processes } = new TwoSockets(2);
  const [meter] = [rig.createMeter({ 'hw.id': 'cpu-package-0' })];
  for (const atS of [0, 1]) {
    rig.energy(meter, atS, 80 * atS);
    rig.packageUsage(atS, [
      [processes[0], atS, [atS, 0]],
      [processes[1], atS, [0, atS]],
    ]);
    rig.boundary(atS, 2 * atS, [NaN, atS]);
  }
  assert.deepEqual(round(rig.processes()), { 1: 30, 2: 30 });
});

test('attribution gives the same result whether usage by package is known at once or gradually', () => {
  const machine = new TwoSockets(1);
  machine.scan(0, [[0, 0]]);
  // The usage by package may be less than the CPU time, for example for threads that have just ended.
  machine.scan(1, [[2, 2]], { known: [[1, 1]] });
  machine.scan(2, [[3, 2]], { known: [[3, 1]] });
  assert.deepEqual(round(machine.rig.processes()), { 1: 180 + 30 });
});

test('attribution does not forward the usage by package, unless everything is to be forwarded', () => {
  for (const [process_metrics, isForwarded] of [
    ['shown', false],
    ['all', true],
  ] as const) {
    for (const process_limit of [0, 5]) {
      const { rig, processes } = new TwoSockets(1, { process_metrics, process_limit });
      for (const atS of [0, 1, 2]) {
        rig.packageUsage(atS, [[processes[0], atS, [atS, 0]]]);
        rig.boundary(atS, atS, [atS, 0]);
      }
      rig.end(3, ...processes[0].allSeries, ...rig.restartBusy(3));
      const names = findNames(rig.out.tables.map(({ series }) => series));
      const ended = findNames(rig.out.tables.map((table) => table.ended ?? []));
      for (const found of [names, ended]) {
        assert.ok(found.has('process.cpu.time') && found.has('system.cpu.busy.time'));
        assert.equal(found.has('process.cpu.package.time'), isForwarded);
        assert.equal(found.has('system.cpu.package.busy.time'), isForwarded);
      }
    }
  }
});

test('attribution gives each workload of two packages its energy within 2 %, for any load', () => {
  const random = createRandom(11);
  const machine = new TwoSockets(12);
  const used = machine.processes.map(() => [0, 0]);
  const truth = used.map(() => 0);
  machine.scan(0, used);
  for (let atS = 1; atS <= 120; atS++) {
    for (const [i, own] of used.entries()) {
      // The first package is busy with a third of them, the second with most of the work; three move.
      const number = i < 4 ? 0 : i < 9 ? 1 : random.whole(2);
      const workS = (number === 0 ? 0.1 : 0.3) * random.fraction();
      own[number] = (own[number] ?? 0) + workS;
      truth[i] = (truth[i] ?? 0) + (number === 0 ? 30 : 60) * workS;
    }
    machine.scan(atS, used, { known: used.map((own, i) => (i === 11 ? [] : own)) });
  }
  const found = machine.rig.processes();
  for (const [i, joules] of truth.entries()) {
    const share = (found[i + 1] ?? 0) / joules;
    // The package of the last one is not known, and is found from what the others leave.
    assert.ok(Math.abs(share - 1) < 0.02, `process ${i + 1}: ${share}`);
  }
});

/** A cgroup with a process of unknown package, and usage that no process explains. */
function playCgroups(used: readonly (readonly [path: string, byPackage: readonly number[]])[]) {
  const { rig } = new TwoSockets(0);
  const meters = [0, 1].map((number) => rig.createMeter({ 'hw.id': `cpu-package-${number}` }));
  const cgroups = used.map(([path, byPackage]) => [createCgroup(path, 0), byPackage] as const);
  const known = new RigProcess({ 'process.pid': 1, 'process.linux.cgroup': '0::/a' }, 0);
  const unknown = new RigProcess({ 'process.pid': 2, 'process.linux.cgroup': '0::/a/x' }, 0);
  const other = new RigProcess({ 'process.pid': 3 }, 0);
  for (const atS of [0, 1]) {
    meters.forEach((meter, number) => rig.energy(meter, atS, (number === 0 ? 50 : 80) * atS));
    rig.cgroupPackageUsage(
      atS,
      cgroups.map(([series, byPackage]) => [series, byPackage.map((seconds) => atS * seconds)]),
    );
    rig.packageUsage(atS, [
      [known, atS, [atS, 0]],
      [unknown, atS, []],
      [other, atS, []],
    ]);
    rig.boundary(atS, 3 * atS, [1.5 * atS, 1.5 * atS]);
  }
  return rig;
}

test("attribution finds the package of a process by its cgroup, if only the cgroup's is known", () => {
  // Of 30 and 60 J, a CPU second costs 20 and 40 J; the third process gets the rest of each package.
  const rig = playCgroups([
    ['/a', [1.25, 0.75]],
    ['/a/x', [0.25, 0.75]],
  ]);
  assert.deepEqual(round(rig.processes()), { 1: 20, 2: 0.25 * 20 + 0.75 * 40, 3: 0.25 * 20 + 0.75 * 40 });
});

test('attribution finds the package of a process by what known processes leave of an ancestor cgroup', () => {
  const rig = playCgroups([['/a', [1, 1]]]);
  assert.deepEqual(round(rig.processes()), { 1: 20, 2: 40, 3: 0.5 * 20 + 0.5 * 40 });
});

test('attribution finds by its cgroup the package of a process that no scan saw', () => {
  const { rig } = new TwoSockets(0);
  const meters = [0, 1].map((number) => rig.createMeter({ 'hw.id': `cpu-package-${number}` }));
  const process = new RigProcess({ 'process.pid': 1, 'process.linux.cgroup': '0::/a' }, 0);
  const cgroup = createCgroup('/b', 0);
  for (const atS of [0, 1, 2]) {
    meters.forEach((meter, number) => rig.energy(meter, atS, (number === 0 ? 50 : 80) * atS));
    rig.cgroupPackageUsage(atS, [[cgroup, [0, atS]]]);
    rig.packageUsage(atS, [[process, atS, [atS, 0]]]);
    rig.boundary(atS, 3 * atS, [1.5 * atS, 1.5 * atS]);
  }
  const { '/b': unseen = 0 } = rig.cgroups();
  // A CPU second of the second package costs 40 J; cgroups have a margin of some ticks.
  assert.ok(unseen > 0.9 * 2 * 40 && unseen <= 2 * 40, `${unseen} J`);
});

test('attribution shares the energy of four packages by their usage, also once one of them is removed', () => {
  const rig = new Rig({ cpu_count: 16, process_limit: 0 });
  const numbers = [0, 1, 2, 3];
  const processes = numbers.map((pid) => new RigProcess({ 'process.pid': pid }, 0));
  const meters = numbers.map((number) => rig.createMeter({ 'hw.id': `cpu-package-${number}` }));
  // Each process is on the package of its number, where a CPU second costs 10, 20, 30 or 40 J.
  const scan = (atS: number, count: number) => {
    meters.slice(0, count).forEach((meter, number) => rig.energy(meter, atS, 10 * (number + 1) * atS));
    const present = numbers.slice(0, count);
    rig.packageUsage(
      atS,
      present.map((own) => [processes[own], atS, present.map((one) => (one === own ? atS : 0))] as const),
    );
    rig.boundary(
      atS,
      count * atS,
      present.map(() => atS),
    );
  };
  for (const atS of [0, 1, 2]) scan(atS, 4);
  assert.deepEqual(round(rig.processes()), { 0: 20, 1: 40, 2: 60, 3: 80 });
  rig.end(2, meters[3], ...processes[3].allSeries);
  rig.endPackage(2, 3);
  for (const atS of [3, 4]) scan(atS, 3);
  assert.deepEqual(round(rig.processes()), { 0: 40, 1: 80, 2: 120, 3: 80 });
});
