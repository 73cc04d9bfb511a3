import type { CpuCount } from '../energy/floor-learner.js';
import { resourceKey, type Resource, type Series } from '../model/series.js';
import { BusyCarry } from './busy-carry.js';
import { Cgroups } from './cgroups.js';
import { CountedEvents } from './counted-events.js';
import { Events, type EventReader } from './events.js';
import { MemoryTraffic } from './memory-traffic.js';
import { Packages } from './packages.js';
import { createGap, type PackageUse, type Usage, type UsageTick } from './usage.js';
import type { View } from './view.js';
import { byFrequency, byMisses, type Weighings } from './weighing.js';
import { compareWorkloads, Workload, type CpuTimeCounter } from './workload.js';

export interface WorkloadsOptions {
  /** Unix time in nanoseconds of time 0. */
  readonly epoch: bigint;
  /** Whether every usage also includes workloads that used nothing. */
  readonly hasIdle: boolean;
  /** Names of the events by whose costs energy is shared, and of those that count cycles and cache misses. */
  readonly events: readonly string[];
  readonly cycles: readonly string[];
  readonly misses: readonly string[];
  /** Factor of each of these events; 1 where there is none. */
  readonly cycleFactors: ReadonlyMap<string, number>;
  readonly cpuCount: CpuCount;
  readonly tick: UsageTick;
}

interface Lists {
  readonly workloads: Workload[];
  readonly cpuNs: number[];
  readonly lifeNs: number[];
}

/** Usage of workloads, at the same index in each array. */
interface Uses extends Lists {
  /** Number of elements that belong to it; the lists may be longer until it is complete. */
  count: number;
  /** By event. */
  readonly events: number[][];
  /** By package. */
  readonly packages: number[][];
}

/** All workloads, and their usage between two boundaries. Times are nanoseconds. */
export class Workloads {
  readonly cgroups: Cgroups;
  readonly events: Events;
  readonly packages: Packages;
  readonly traffic: MemoryTraffic;
  readonly #cycles: CountedEvents;
  readonly #misses: CountedEvents;
  readonly #views: readonly View[];
  /** The views with a limit, and the index of their groups among those of a workload. */
  readonly #limited: readonly { readonly view: View; readonly index: number }[];
  readonly #options: WorkloadsOptions;
  readonly #byKey = new Map<string, Workload>();
  /** Live workloads and those that have ended since the last boundary, in their order. */
  #active: Workload[] = [];
  /** Those of the last usage: the next ones start as copies of them, since lists that grow are allocated again. */
  #lists: Lists = { workloads: [], cpuNs: [], lifeNs: [] };
  /** Those that ended earlier, in the order of the boundaries to which their last usage belongs. */
  readonly #endings = new Map<Workload, number>();
  #boundary = NaN;
  readonly #carry: BusyCarry;

  constructor(views: readonly View[], options: WorkloadsOptions) {
    this.#views = views;
    this.#limited = [...views.entries()].flatMap(([index, view]) =>
      view.isLimited ? [{ view, index }] : [],
    );
    this.#options = options;
    this.#carry = new BusyCarry(options.cpuCount);
    const find = (resource: Resource) => this.find(resource);
    this.events = new Events(options.events, options.epoch, find);
    const { epoch, cycles, cycleFactors: factors, misses } = options;
    const known = { epoch, find, findCgroup: (resource: Resource) => this.cgroups.find(resource) };
    this.packages = new Packages({ ...options, ...known });
    this.traffic = new MemoryTraffic(epoch);
    const byCycles = { place: 0, weight: byFrequency, names: cycles, factors, scale: 1 } as const;
    this.#cycles = new CountedEvents({ ...known, ...byCycles });
    // A few misses are divided among many workloads.
    this.#misses = new CountedEvents({ ...known, place: 1, weight: byMisses, names: misses, scale: 1000 });
    this.cgroups = new Cgroups({
      ...options,
      createUnseen: (resource, within) => {
        const groups = views.map((view) => view.join(resource, within.bornAt));
        return new Workload(resource, within.bornAt, { groups, within });
      },
      endUnseen: (unseen) => void this.#endings.set(unseen, this.#boundary),
    });
  }

  /** Their usage beyond the busy time of the machine and its rounding, summed over all boundaries. */
  get overlapNs(): number {
    return this.#carry.overlapNs;
  }

  /** The receiver of a CPU time series. */
  counterOf(series: Series): CpuTimeCounter {
    const known = this.find(series.resource)?.findCpuTime(series);
    return known ?? this.#workloadOf(series).addCpuTime(series);
  }

  /** The receivers of a series of events, one for each use. */
  eventCountersOf(series: Series): readonly EventReader[] {
    return [this.events, this.#cycles, this.#misses].flatMap((one) => one.counterOf(series) ?? []);
  }

  /** A series of events has no further readings. */
  endEvents(series: Series): void {
    for (const one of [this.events, this.#cycles, this.#misses]) one.end(series);
  }

  /** The workload with a GPU time series; it exists at least as long as the series. */
  hold(series: Series): Workload {
    const known = this.find(series.resource);
    const workload = known ?? this.#create(series.resource, Number(series.start - this.#options.epoch));
    if (this.#endings.delete(workload)) this.#insert(workload);
    workload.revive();
    workload.counters += 1;
    return workload;
  }

  /** Removes a counter of a workload. Without counters it ends, and its last usage belongs to the next boundary. */
  release(workload: Workload, at: number): void {
    workload.counters -= 1;
    if (workload.counters === 0) workload.endedAt = at;
  }

  /** The workload with this resource; undefined: not known. */
  find(resource: Resource): Workload | undefined {
    return this.#byKey.get(resourceKey(resource));
  }

  /** A series has no further readings. */
  end(series: Series, at: number): void {
    const workload = this.find(series.resource);
    if (workload?.removeCpuTime(series) === true) this.release(workload, at);
  }

  /**
   * The usage up to a boundary, which is later than the previous one.
   * @param busyNs busy time of the machine since the previous boundary; NaN: not known
   */
  cut(to: number, busyNs: number): Usage {
    const from = this.#boundary;
    this.#boundary = to;
    const isGap = Number.isNaN(from) || Number.isNaN(busyNs);
    for (const { view } of this.#limited) view.advance(to);
    const { seenNs, ...uses } = this.#collect(isGap ? to : from, to);
    const machine = this.events.cut(isGap ? to : from, to);
    const wholeNs = isGap ? 0 : this.#carry.settle(busyNs, seenNs);
    if (isGap) this.cgroups.skip(to);
    else this.cgroups.complete(to, wholeNs - seenNs, (unseen, cpuNs) => this.#add(uses, unseen, cpuNs));
    for (const { view } of this.#limited) view.rank(to);
    if (this.#active.some((workload) => workload.counters === 0)) this.#moveEnded(to);
    const { events, packages: columns, count, ...usage } = uses;
    usage.workloads.length = usage.cpuNs.length = usage.lifeNs.length = count;
    this.#lists = usage;
    const packages = this.packages.cut([isGap ? to : from, to], usage, columns);
    if (isGap) return createGap(to);
    const hasEvents = this.events.count > 0;
    const weighings = this.#weigh([from, to], { ...usage, busyNs: wholeNs }, packages);
    return {
      ...usage,
      firstTo: to,
      to,
      isGap,
      busyNs: wholeNs,
      ...(hasEvents && { events: { machine, workloads: events } }),
      ...(packages && { packages }),
      ...(weighings && { weighings }),
    };
  }

  #weigh(
    between: readonly [number, number],
    usage: Pick<Usage, 'workloads' | 'cpuNs' | 'busyNs'>,
    packages: readonly PackageUse[] | undefined,
  ): Weighings | undefined {
    const traffic = this.traffic.cut(between, usage, packages);
    const memory = traffic ?? this.#misses.cut(between, usage, packages);
    const frequency = this.#cycles.cut(between, usage, packages);
    return memory || frequency ? { memory, frequency } : undefined;
  }

  /** Decides which groups are shown, before the usage of a GPU is shared. */
  rank({ to, workloads, cpuNs }: Usage): void {
    // The samples of a GPU lag behind the boundaries of the CPUs.
    const at = this.#boundary > to ? this.#boundary : to;
    for (const { view, index } of this.#limited) {
      view.advance(at);
      for (let i = 0; i < workloads.length; i++) view.weigh(workloads[i].groups[index], cpuNs[i]);
      view.rank(at);
    }
  }

  /**
   * Removes and returns the workloads that have ended and whose last usage is settled.
   * @param isDoneWith if true for a boundary, also true for every earlier one
   */
  takeSettled(isDoneWith: (boundary: number) => boolean): readonly Workload[] {
    const settled: Workload[] = [];
    for (const [workload, boundary] of this.#endings) {
      if (!isDoneWith(boundary)) break;
      this.#endings.delete(workload);
      if (workload.cgroup) {
        this.#byKey.delete(workload.key);
        this.cgroups.leave(workload.cgroup);
      }
      settled.push(workload);
    }
    return settled;
  }

  #workloadOf(series: Series): Workload {
    const startedAt = Number(series.start - this.#options.epoch);
    const known = this.find(series.resource);
    if (known === undefined) return this.#create(series.resource, startedAt);
    known.resume(startedAt);
    if (this.#endings.delete(known)) this.#insert(known);
    return known;
  }

  #create(resource: Resource, startedAt: number): Workload {
    const groups = this.#views.map((view) => view.join(resource, startedAt));
    const cgroup = this.cgroups.nodeOf(resource);
    cgroup.members += 1;
    const workload = new Workload(resource, startedAt, { groups, cgroup });
    this.#byKey.set(workload.key, workload);
    this.#insert(workload);
    return workload;
  }

  #insert(workload: Workload): void {
    let low = 0;
    let high = this.#active.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareWorkloads(this.#active[middle], workload) < 0) low = middle + 1;
      else high = middle;
    }
    this.#active.splice(low, 0, workload);
  }

  #collect(from: number, to: number) {
    const events = Array.from({ length: this.events.count }, (): number[] => []);
    const packages = Array.from({ length: this.packages.count }, (): number[] => []);
    const last = this.#lists;
    const usage: Uses = {
      workloads: last.workloads.slice(),
      cpuNs: last.cpuNs.slice(),
      lifeNs: last.lifeNs.slice(),
      count: 0,
      events,
      packages,
    };
    let seenNs = 0;
    for (const workload of this.#active) {
      const cpuNs = workload.cut(from, to);
      if (cpuNs === 0 && !this.#options.hasIdle) continue;
      this.#add(usage, workload, cpuNs, workload.countLifeNs(from, to));
      for (const [i, counts] of events.entries()) {
        counts[counts.length - 1] = workload.events?.[i]?.cut(from, to) ?? 0;
      }
      if (packages.length > 0) this.packages.collect(workload, [from, to], packages);
      workload.cgroup?.use(cpuNs);
      seenNs += cpuNs;
    }
    return { ...usage, seenNs };
  }

  #add(uses: Uses, workload: Workload, usedNs: number, livedNs = 0): void {
    const { workloads, cpuNs, lifeNs, events, packages, count } = uses;
    uses.count += 1;
    workloads[count] = workload;
    cpuNs[count] = usedNs;
    lifeNs[count] = livedNs;
    for (const counts of events) counts.push(0);
    for (let i = 0; i < packages.length; i++) packages[i].push(0);
    for (const { view, index } of this.#limited) view.weigh(workload.groups[index], usedNs);
  }

  #moveEnded(boundary: number): void {
    const ended = this.#active.filter((workload) => workload.counters === 0);
    this.#active = this.#active.filter((workload) => workload.counters > 0);
    for (const workload of ended) this.#endings.set(workload, boundary);
  }
}
