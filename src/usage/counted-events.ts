import { UsageCurve } from '../energy/usage-curve.js';
import { findOrAdd } from '../model/plan.js';
import { ATTR_PERF_EVENT_NAME, ATTR_PROCESS_PID } from '../model/semantic-conventions.js';
import type { Resource, Series } from '../model/series.js';
import type { CgroupNode } from './cgroup-node.js';
import type { EventReader } from './events.js';
import { divideGroups, spreadCounts, type PackageTimes } from './group-division.js';
import { findCgroupPath } from './group-identity.js';
import type { PackageUse, Usage } from './usage.js';
import type { PackageWeighing, Weight } from './weighing.js';
import type { KnownWorkloads, Workload } from './workload.js';

export interface CountedEventsOptions extends KnownWorkloads {
  /** Index in the counts of a workload. */
  readonly place: number;
  readonly weight: Weight;
  /** Names of the events to add up. */
  readonly names: readonly string[];
  /** Factor of each event; undefined: 1. */
  readonly factors?: ReadonlyMap<string, number>;
  /** Number of integer parts per count. */
  readonly scale: number;
}

/**
 * Events of the receiver `perf` that replace CPU time: cycles, cache misses. They are known for the machine and
 * for those processes and cgroups that `perf` counts. The rest of the machine's events is shared by CPU time
 * among all others.
 */
export class CountedEvents {
  readonly #options: CountedEventsOptions;
  readonly #counters = new Map<Series, CountCounter>();
  /** Counters that were read before their process or cgroup was known; it may follow in the same scan. */
  readonly #waiting = new Set<CountCounter>();
  readonly #cgroups = new Map<CgroupNode, UsageCurve>();
  #machine: UsageCurve | undefined;

  constructor(options: CountedEventsOptions) {
    this.#options = options;
  }

  /** The receiver of a series' readings; undefined: not one of these events. */
  counterOf(series: Series): CountCounter | undefined {
    const { names, epoch, factors } = this.#options;
    const name = String(series.attributes[ATTR_PERF_EVENT_NAME]);
    if (!names.includes(name)) return undefined;
    const factor = factors?.get(name) ?? 1;
    const find = (from: number) => {
      const fromNs = Number.isNaN(from) ? Number(series.start - epoch) : from;
      return this.#find(series.resource, () => new UsageCurve(fromNs));
    };
    return findOrAdd(
      this.#counters,
      series,
      () => new CountCounter({ find, factor, waiting: this.#waiting }),
    );
  }

  /** A series has no further readings. */
  end(series: Series): void {
    this.#counters.delete(series);
  }

  /**
   * The events of each workload of a usage between two boundaries; to be called once for each.
   * @param packages usage of each package, where known
   * @returns undefined where nothing was counted, or the counts add nothing to CPU time
   */
  cut(
    [from, to]: readonly [number, number],
    usage: Pick<Usage, 'workloads' | 'cpuNs' | 'busyNs'>,
    packages: readonly PackageUse[] | undefined,
  ): readonly PackageWeighing[] | undefined {
    for (const counter of this.#waiting) counter.retry();
    if (this.#machine === undefined) return undefined;
    const machine = this.#machine.cut(from, to);
    const { place } = this.#options;
    const groups = new Groups(this.#cutCgroups(from, to));
    const groupOf = usage.workloads.map((workload) => {
      const count = workload.counted?.[place]?.cut(from, to) ?? 0;
      return count > 0 ? groups.addWorkload(workload, count) : groups.find(workload.within);
    });
    if (machine === 0 || groupOf.every((group) => group === 0)) return undefined;
    const times: readonly PackageTimes[] = packages ?? [{ ...usage, number: undefined }];
    const counts = groups.finish(machine);
    const grouping = { count: counts.length, groupOf, packages: times };
    const { weight, scale } = this.#options;
    return divideGroups({ ...grouping, ...spreadCounts(counts, grouping), weight, scale });
  }

  #find(resource: Resource, create: () => UsageCurve): UsageCurve | undefined {
    const { attributes } = resource;
    if (attributes[ATTR_PROCESS_PID] !== undefined) {
      const workload = this.#options.find(resource);
      return workload && ((workload.counted ??= [])[this.#options.place] ??= create());
    }
    if (findCgroupPath(attributes) === undefined) return (this.#machine ??= create());
    const cgroup = this.#options.findCgroup(resource);
    return cgroup && findOrAdd(this.#cgroups, cgroup, create);
  }

  #cutCgroups(from: number, to: number): ReadonlyMap<CgroupNode, number> {
    const counts = new Map<CgroupNode, number>();
    for (const [node, curve] of this.#cgroups) {
      const count = curve.cut(from, to);
      if (node.isEmpty) this.#drop(node, curve);
      if (count > 0) counts.set(node, count);
    }
    return counts;
  }

  /** A cgroup that has processes again is a new node, at which its counters continue. */
  #drop(node: CgroupNode, curve: UsageCurve): void {
    this.#cgroups.delete(node);
    for (const counter of this.#counters.values()) counter.leave(curve);
  }
}

export interface CountCounterOptions {
  /**
   * The curve on which its growth is counted from an instant on, or from its start if that is NaN; undefined:
   * its process is not known yet.
   */
  find(from: number): UsageCurve | undefined;
  /** Factor of one event. */
  readonly factor: number;
  /** Holds the counter until its process is known. */
  readonly waiting: Set<CountCounter>;
}

/** One counter of events. */
export class CountCounter implements EventReader {
  readonly #options: CountCounterOptions;
  #curve: UsageCurve | undefined;
  #counted = 0;
  #latest = 0;
  #at = NaN;
  #countedAt = NaN;

  constructor(options: CountCounterOptions) {
    this.#options = options;
  }

  read(value: number, at: number): void {
    if (!(value >= this.#latest && value < Infinity)) return;
    this.#latest = value;
    this.#at = at;
    const { find, waiting } = this.#options;
    this.#curve ??= find(this.#countedAt);
    if (this.#curve) this.#count(this.#curve);
    else waiting.add(this);
  }

  /** Retries to find its process; until then, its counts belong to no process. */
  retry(): void {
    const { find, waiting } = this.#options;
    waiting.delete(this);
    this.#curve ??= find(this.#countedAt);
    if (this.#curve) this.#count(this.#curve);
  }

  #count(curve: UsageCurve): void {
    curve.read(this.#at, this.#options.factor * (this.#latest - this.#counted));
    this.#counted = this.#latest;
    this.#countedAt = this.#at;
  }

  /** If its growth was counted on this curve, it will be counted on another one. */
  leave(curve: UsageCurve): void {
    if (this.#curve === curve) this.#curve = undefined;
  }
}

/** The counts of one window: the first place is for everything that is in no other. */
class Groups {
  readonly #counts: number[] = [0];
  readonly #places = new Map<CgroupNode, number>();
  /** Sum over counted cgroups and workloads that are in no other counted cgroup. */
  #outermost = 0;

  /** @param cgroups counts of each, descendants included */
  constructor(cgroups: ReadonlyMap<CgroupNode, number>) {
    for (const [node, count] of cgroups) this.#places.set(node, this.#counts.push(count) - 1);
    for (const [node, count] of cgroups) this.#takeFrom(node.parent, count);
  }

  addWorkload({ within }: Workload, count: number): number {
    this.#takeFrom(within, count);
    return this.#counts.push(count) - 1;
  }

  /** The place of the nearest counted cgroup, the node itself or an ancestor. */
  find(node: CgroupNode | undefined): number {
    for (let one = node; one !== undefined; one = one.parent) {
      const place = this.#places.get(one);
      if (place !== undefined) return place;
    }
    return 0;
  }

  /** @returns the counts of each place, without those of other places */
  finish(machine: number): readonly number[] {
    this.#counts[0] = Math.max(0, machine - this.#outermost);
    return this.#counts.map((count) => Math.max(0, count));
  }

  #takeFrom(node: CgroupNode | undefined, count: number): void {
    const place = this.find(node);
    if (place === 0) this.#outermost += count;
    else this.#counts[place] -= count;
  }
}
