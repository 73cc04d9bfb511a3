import { findOrAdd } from '../../src/model/plan.js';
import type { Series } from '../../src/model/series.js';
import { createRandom, type Random } from '../../src/testing/random.fixture.js';
import { createCounts, createEvent, createMember, createTraffic } from './counts.fixture.js';
import { createCgroup, type Rig, type RigProcess } from './rig.fixture.js';

const groups = ['/', '/mon_groups/a', '/batch', '/batch/mon_groups/b'];
const events = ['cycles', 'cache-misses'];

interface Counter {
  series: Series;
  value: number;
  readonly create: (startS: number) => Series;
}

/**
 * Random counts of resctrl and perf that match neither each other nor the usage: bytes of groups, and cycles
 * and cache misses of the machine, of processes and of cgroups. Counters are reset, miss readings or disappear;
 * processes change groups.
 */
export class RandomCounts {
  readonly #rig: Rig;
  readonly #random: Random;
  readonly #hasTraffic: boolean;
  readonly #hasEvents: boolean;
  readonly #counters = new Map<string, Counter>();
  readonly #ofProcesses = new Map<RigProcess, readonly Counter[]>();
  readonly #members = new Map<number | undefined, Series>();

  constructor(rig: Rig, seed: number) {
    this.#rig = rig;
    this.#random = createRandom(seed + 1e6);
    this.#hasTraffic = seed % 8 >= 4;
    this.#hasEvents = seed % 16 >= 8;
  }

  /** Everything counts from 0 again. */
  restart(atS: number): void {
    const counters = [...this.#counters.values(), ...[...this.#ofProcesses.values()].flat()];
    const old = [...counters.map(({ series }) => series), ...this.#members.values()];
    for (const counter of counters) {
      counter.series = counter.create(atS);
      counter.value = 0;
    }
    this.#members.clear();
    if (old.length > 0) this.#rig.end(atS, ...old);
  }

  /** Readings at an instant, of the processes that exist. */
  read(atS: number, processes: readonly RigProcess[]): void {
    const counters = [
      ...(this.#hasTraffic ? this.#listTraffic(atS) : []),
      ...(this.#hasEvents ? this.#listEvents(atS, processes) : []),
    ];
    const ended = [...this.#endGone(processes), ...this.#beginAgain(atS, counters)];
    if (this.#hasTraffic) ended.push(...this.#move(processes));
    const cells = counters.map((counter) => [counter.series, this.#grow(counter)] as const);
    const members = [...this.#members.values()].map((series) => [series, 1] as const);
    if (cells.length === 0) return;
    this.#rig.consume({ ...createCounts(atS, [...cells, ...members]), ended });
  }

  #listTraffic(atS: number): readonly Counter[] {
    return groups.flatMap((group) =>
      [0, 1].flatMap((number) =>
        [true, false].flatMap((isLocal) => {
          // Sometimes a group has no value.
          if (this.#random.chance(0.02)) return [];
          const create = (startS: number) => createTraffic(group, number, startS, isLocal);
          return this.#find(`${group} ${number} ${isLocal}`, atS, create);
        }),
      ),
    );
  }

  #listEvents(atS: number, processes: readonly RigProcess[]): readonly Counter[] {
    const cgroup = createCgroup('/a', 0);
    const ofMachine = events.flatMap((name) => [
      this.#find(name, atS, (startS) => createEvent(name, undefined, startS)),
      this.#find(`${name} /a`, atS, (startS) => createEvent(name, cgroup, startS)),
    ]);
    const own = processes.flatMap((process) =>
      findOrAdd(this.#ofProcesses, process, () =>
        this.#random.chance(0.6)
          ? events.map((name) => createCounter(atS, (startS) => createEvent(name, process, startS)))
          : [],
      ),
    );
    return [...ofMachine, ...own];
  }

  #find(key: string, atS: number, create: (startS: number) => Series): Counter {
    return findOrAdd(this.#counters, key, () => createCounter(atS, create));
  }

  #grow(counter: Counter): number {
    if (this.#random.chance(0.7)) counter.value += this.#random.whole(2e9);
    if (this.#random.chance(0.02)) counter.value = 0;
    return this.#random.chance(0.05) ? NaN : counter.value;
  }

  #endGone(processes: readonly RigProcess[]): readonly Series[] {
    const gone = [...this.#ofProcesses].filter(([process]) => !processes.includes(process));
    for (const [process] of gone) this.#ofProcesses.delete(process);
    return gone.flatMap(([, counters]) => counters.map(({ series }) => series));
  }

  #beginAgain(atS: number, counters: readonly Counter[]): readonly Series[] {
    return counters.flatMap((counter) => {
      if (!this.#random.chance(0.03)) return [];
      const { series, create } = counter;
      counter.series = create(atS);
      counter.value = 0;
      return series;
    });
  }

  #move(processes: readonly RigProcess[]): readonly Series[] {
    const pids = processes.map(({ resource }) => Number(resource.attributes['process.pid']));
    const ended: Series[] = [];
    for (const [pid, series] of this.#members) {
      const isGone = pid !== undefined && !pids.includes(pid);
      if (!isGone && !this.#random.chance(0.1)) continue;
      this.#members.delete(pid);
      ended.push(series);
    }
    for (const pid of [...pids, ...(this.#random.chance(0.02) ? [undefined] : [])]) {
      if (!this.#members.has(pid) && this.#random.chance(0.5)) {
        this.#members.set(pid, createMember(groups[1 + this.#random.whole(3)], pid));
      }
    }
    return ended;
  }
}

function createCounter(atS: number, create: (startS: number) => Series): Counter {
  return { series: create(atS), value: 0, create };
}
