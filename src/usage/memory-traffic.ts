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

/** These, and what says who is in which group. */
export const trafficMetrics: ReadonlySet<string> = new Set([...trafficNames, memoryTrafficMember.name]);

const defaultGroup = '/';

/** What a group moved on one package, since it is known. */
interface Traffic {
  readonly total: UsageCurve;
  readonly local: UsageCurve;
}

/** A group of resctrl, with those below it. */
interface TrafficGroup {
  readonly path: string;
  /** The control group that it is below; undefined: it is one itself. */
  readonly control: TrafficGroup | undefined;
  /** By package. */
  readonly traffic: Map<number, Traffic>;
  /** Its live counters: of all traffic, one for each last-level cache, and of local traffic. */
  totals: number;
  locals: number;
  /** How many processes are known to be in it. */
  members: number;
  /** Whether it has CPUs of its own, on which processes of the default group count in it. */
  isOpen: boolean;
  /** Where what it moved, and its processes are, in the window that is cut. */
  place: number;
}

/** What the groups of resctrl moved from and to memory, and which processes are in them (docs/ledger.md, Memory). */
export class MemoryTraffic {
  readonly #epoch: bigint;
  readonly #groups = new Map<string, TrafficGroup>();
  readonly #counters = new Map<Series, TrafficCounter>();
  /** The group of each process that is in another than the default one, and the series that it is known by. */
  readonly #members = new Map<number, { readonly series: Series; readonly group: TrafficGroup }>();
  #isRead = false;

  /** @param epoch Unix time in nanoseconds of time 0 */
  constructor(epoch: bigint) {
    this.#epoch = epoch;
  }

  /** What takes the readings of a counter. */
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

  /** A series has no further reading. */
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
   * What each workload of a usage moved between two boundaries, asked once for each.
   * @param packages what was used of each, where that is known
   * @returns undefined where it was not read, or says no more than CPU time
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
   * Finds the groups whose counters are all there, the default group first. Where a monitoring group is not, it is a part
   * of its control group.
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
      // Those that have processes below them are counted with these.
      group.place = isCounted && group !== first ? counted.push(group) - 1 : 0;
    }
    return counted;
  }

  /** What each group moved without the groups below it. That of groups that have CPUs is a part of what is above. */
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

  /** The place of the group of each workload. What no process of a cgroup explains is where those of the cgroup are. */
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

  /** Forgets a group of which nothing is left, and then what is above it. */
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

/** Takes what a group moved out of its control group; where it is open, what is left of it goes to what is above. */
function takeApart(counted: readonly TrafficGroup[], moved: Float64Array, at: number): void {
  for (const { place, control, isOpen } of counted) {
    if (control === undefined || isOpen) continue;
    const above = at + control.place;
    moved[above] = Math.max(0, moved[above] - moved[at + place]);
  }
  for (const { place, control, isOpen } of counted) {
    if (!isOpen || place === 0) continue;
    // What is below a control group is in what that has.
    if (control === undefined) moved[at] += moved[at + place];
    moved[at + place] = 0;
  }
}

/** Of the group that has what a process of this group moved. */
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

  /** @param bytes since the counter's start; NaN: no reading */
  read(bytes: number, at: number): void {
    if (Number.isNaN(bytes)) return;
    this.#notify();
    this.#curve.read(at, Math.max(0, bytes - this.#last));
    this.#last = Math.max(bytes, this.#last);
  }
}

/** The control group that a monitoring group is below, or the group itself. */
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
