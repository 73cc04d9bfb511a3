import { UsageCurve } from '../energy/usage-curve.js';
import { findOrAdd } from '../model/plan.js';
import {
  ATTR_CPU_PACKAGE,
  ATTR_LINUX_RESCTRL_GROUP,
  ATTR_PROCESS_PID,
} from '../model/semantic-conventions.js';
import type { Series } from '../model/series.js';
import { localMemoryTraffic, memoryTraffic, memoryTrafficMember } from '../model/usage-metrics.js';
import type { CgroupNode } from './cgroup-node.js';
import { divideGroups, type Counted } from './group-division.js';
import type { PackageUse, Usage } from './usage.js';
import { byBandwidth, type PackageWeighing } from './weighing.js';
import type { Workload } from './workload.js';

/** The metrics of the receiver `resctrl` by which the energy of memory is shared. */
export const trafficNames: ReadonlySet<string> = new Set([memoryTraffic.name, localMemoryTraffic.name]);

/** These, and the metric that reports which process is in which group. */
export const trafficMetrics: ReadonlySet<string> = new Set([...trafficNames, memoryTrafficMember.name]);

const defaultGroup = '/';

/** Traffic of a group on one package, since it is known. */
interface Traffic {
  readonly total: UsageCurve;
  readonly local: UsageCurve;
}

/** A resctrl group, with its child groups. */
interface TrafficGroup {
  readonly path: string;
  /** The parent control group; undefined: this is a control group. */
  readonly control: TrafficGroup | undefined;
  /** By package. */
  readonly traffic: Map<number, Traffic>;
  /** Number of its live counters: of total traffic, one per last-level cache, and of local traffic. */
  totals: number;
  locals: number;
  /** Number of processes known to be in it. */
  members: number;
  /** Whether CPUs are assigned to it, on which processes of the default group count in it. */
  isOpen: boolean;
  /** The place of its traffic and of its processes in the current window. */
  place: number;
}

/** The memory traffic of the resctrl groups, and the processes in them (docs/ledger.md, Memory). */
export class MemoryTraffic {
  readonly #epoch: bigint;
  readonly #groups = new Map<string, TrafficGroup>();
  readonly #counters = new Map<Series, TrafficCounter>();
  /** The group of each process that is not in the default group, and the series that reports it. */
  readonly #members = new Map<number, { readonly series: Series; readonly group: TrafficGroup }>();
  #isRead = false;

  /** @param epoch Unix time in nanoseconds of time 0 */
  constructor(epoch: bigint) {
    this.#epoch = epoch;
  }

  /** The receiver of a counter's readings. */
  counterOf(series: Series): TrafficCounter {
    return findOrAdd(this.#counters, series, () => {
      const isLocal = series.metric.name === localMemoryTraffic.name;
      const group = this.#groupOf(pathOf(series));
      if (isLocal) group.locals += 1;
      else group.totals += 1;
      const startAt = Number(series.start - this.#epoch);
      const { total, local } = findOrAdd(group.traffic, packageOf(series), () => ({
        total: new UsageCurve(startAt),
        local: new UsageCurve(startAt),
      }));
      const isFirst = group.path === defaultGroup && !isLocal;
      return new TrafficCounter(isLocal ? local : total, () => (this.#isRead ||= isFirst));
    });
  }

  /** A process is in a group from now on, until the series ends. */
  join(series: Series): void {
    const pid = pidOf(series);
    const group = this.#groupOf(pathOf(series));
    if (pid === undefined) group.isOpen = true;
    const before = pid === undefined ? undefined : this.#members.get(pid);
    if (pid === undefined || before?.series === series) return;
    if (before) before.group.members -= 1;
    group.members += 1;
    this.#members.set(pid, { series, group });
  }

  /** A series has no further readings. */
  end(series: Series): void {
    const group = this.#groupOf(pathOf(series));
    if (series.metric.name === memoryTrafficMember.name) this.#leave(series, group);
    if (this.#counters.delete(series)) {
      if (series.metric.name === localMemoryTraffic.name) group.locals -= 1;
      else group.totals -= 1;
    }
    this.#forget(group);
  }

  /**
   * The traffic of each workload of a usage between two boundaries; to be called once for each.
   * @param packages usage of each package, where known
   * @returns undefined where it was not read, or adds nothing to CPU time
   */
  cut(
    between: readonly [number, number],
    usage: Pick<Usage, 'workloads' | 'cpuNs' | 'busyNs'>,
    packages: readonly PackageUse[] | undefined,
  ): readonly PackageWeighing[] | undefined {
    if (!this.#isRead) return undefined;
    this.#isRead = false;
    const first = this.#groups.get(defaultGroup);
    if (first === undefined) return undefined;
    const counted = this.#placeGroups(first);
    if (counted === undefined) return undefined;
    const groupOf = this.#placeWorkloads(usage.workloads);
    const numbers = [...first.traffic.keys()].toSorted((a, b) => a - b);
    const bytes = this.#cutGroups(counted, numbers, between);
    if (groupOf.every((place) => place === 0)) return undefined;
    return divideGroups({
      ...bytes,
      weight: byBandwidth,
      count: counted.length,
      groupOf,
      packages: numbers.map((number) => {
        const { busyNs, cpuNs } = packages?.find((one) => one.number === number) ?? usage;
        return { number: number < 0 ? undefined : number, busyNs, cpuNs };
      }),
      scale: 1,
    });
  }

  /**
   * Finds the groups whose counters are complete, the default group first. A monitoring group with missing
   * counters is treated as part of its control group.
   * @returns undefined where a part of the machine is not counted
   */
  #placeGroups(first: TrafficGroup): readonly TrafficGroup[] | undefined {
    const caches = first.totals;
    if (caches === 0) return undefined;
    const counted = [first];
    for (const group of this.#groups.values()) {
      const isCounted = group.totals === caches;
      const isControl = group.control === undefined;
      if (!isCounted && isControl && group.totals + group.members > 0) return undefined;
      // Place 0: the group is counted together with its parent.
      group.place = isCounted && group !== first ? counted.push(group) - 1 : 0;
    }
    return counted;
  }

  /**
   * The traffic of each group without its child groups. That of groups with assigned CPUs is included in their
   * parent's.
   */
  #cutGroups(
    counted: readonly TrafficGroup[],
    numbers: readonly number[],
    [from, to]: readonly [number, number],
  ): Counted {
    const local = new Float64Array(counted.length * numbers.length);
    const remote = new Float64Array(local.length);
    for (const [i, number] of numbers.entries()) {
      const at = i * counted.length;
      for (const { place, locals, totals, traffic } of counted) {
        const own = traffic.get(number);
        const bytes = own?.total.cut(from, to) ?? 0;
        const near = own?.local.cut(from, to) ?? 0;
        local[at + place] = locals < totals ? bytes : Math.min(near, bytes);
        remote[at + place] = bytes - local[at + place];
      }
      for (const moved of [local, remote]) takeApart(counted, moved, at);
    }
    return { local, remote };
  }

  /** The place of each workload's group. The unexplained part of a cgroup is where the cgroup's processes are. */
  #placeWorkloads(workloads: readonly Workload[]): readonly number[] {
    const byCgroup = new Map<CgroupNode, number>();
    return workloads.map(({ pid, cgroup, within }) => {
      if (pid === undefined) return within ? (byCgroup.get(within) ?? 0) : 0;
      const group = this.#members.get(pid)?.group;
      const place = group ? findPlace(group) : 0;
      if (cgroup) byCgroup.set(cgroup, (byCgroup.get(cgroup) ?? place) === place ? place : 0);
      return place;
    });
  }

  /** Removes a group that is empty, and then its parent. */
  #forget(group: TrafficGroup): void {
    if (group.totals + group.locals + group.members > 0 || group.isOpen) return;
    for (const { control } of this.#groups.values()) if (control === group) return;
    this.#groups.delete(group.path);
    if (group.control) this.#forget(group.control);
  }

  #leave(series: Series, group: TrafficGroup): void {
    const pid = pidOf(series);
    if (pid === undefined) group.isOpen = false;
    else if (this.#members.get(pid)?.series === series) {
      this.#members.delete(pid);
      group.members -= 1;
    }
  }

  #groupOf(path: string): TrafficGroup {
    return findOrAdd(this.#groups, path, () => {
      const above = controlOf(path);
      return {
        path,
        control: above === path ? undefined : this.#groupOf(above),
        traffic: new Map(),
        totals: 0,
        locals: 0,
        members: 0,
        isOpen: false,
        place: 0,
      };
    });
  }
}

/**
 * Subtracts the traffic of monitoring groups from their control groups; the rest of a group with assigned CPUs
 * goes to its parent.
 */
function takeApart(counted: readonly TrafficGroup[], moved: Float64Array, at: number): void {
  for (const { place, control, isOpen } of counted) {
    if (control === undefined || isOpen) continue;
    const above = at + control.place;
    moved[above] = Math.max(0, moved[above] - moved[at + place]);
  }
  for (const { place, control, isOpen } of counted) {
    if (!isOpen || place === 0) continue;
    // The traffic of a monitoring group is already included in that of its control group.
    if (control === undefined) moved[at] += moved[at + place];
    moved[at + place] = 0;
  }
}

/** The place of the group that includes the traffic of this group's processes. */
function findPlace(group: TrafficGroup): number {
  const { place, isOpen, control } = group;
  if (place > 0 && !isOpen) return place;
  return control ? findPlace(control) : 0;
}

/** One counter of bytes. */
export class TrafficCounter {
  readonly #curve: UsageCurve;
  readonly #notify: () => void;
  #last = 0;

  constructor(curve: UsageCurve, notify: () => void) {
    this.#curve = curve;
    this.#notify = notify;
  }

  /** @param bytes since the counter's start; not finite: no reading */
  read(bytes: number, at: number): void {
    if (!Number.isFinite(bytes)) return;
    this.#notify();
    this.#curve.read(at, Math.max(0, bytes - this.#last));
    this.#last = Math.max(bytes, this.#last);
  }
}

/** The parent control group of a monitoring group, or the group itself. */
function controlOf(path: string): string {
  const end = path.indexOf('/mon_groups/');
  return end < 0 ? path : path.slice(0, end) || defaultGroup;
}

function pathOf({ attributes }: Series): string {
  return String(attributes[ATTR_LINUX_RESCTRL_GROUP] ?? defaultGroup);
}

function pidOf({ attributes }: Series): number | undefined {
  const pid = attributes[ATTR_PROCESS_PID];
  return pid === undefined ? undefined : Number(pid);
}

/** -1: not known. */
function packageOf({ attributes }: Series): number {
  return Number(attributes[ATTR_CPU_PACKAGE] ?? -1);
}
