import { UsageCurve } from '../energy/usage-curve.js';
import { ATTR_PROCESS_PID } from '../model/semantic-conventions.js';
import { compareResourceKeys, resourceKey, type Resource, type Series } from '../model/series.js';
import type { CgroupNode } from './cgroup-node.js';
import type { Group } from './view.js';

/** How counts of processes and cgroups find their workload or cgroup. */
export interface KnownWorkloads {
  /** Unix time in nanoseconds of time 0. */
  readonly epoch: bigint;
  /** The workload with a resource, if known. */
  find(resource: Resource): Workload | undefined;
  /** The cgroup with a resource, if known. */
  findCgroup(resource: Resource): CgroupNode | undefined;
}

/** Where a workload belongs. */
export interface Membership {
  readonly groups: readonly Group[];
  readonly cgroup?: CgroupNode | undefined;
  /** The cgroup in which it runs; undefined: `cgroup`. */
  readonly within?: CgroupNode;
}

/** The order of workloads, by which energy is shared: processes by their keys, then usage that no process explains. */
export function compareWorkloads(one: Workload, other: Workload): number {
  const isProcess = one.cgroup !== undefined;
  if (isProcess !== (other.cgroup !== undefined)) return isProcess ? -1 : 1;
  return compareResourceKeys(one.key, other.key);
}

/** A user of CPU and GPU time: a process, or several that a receiver reports as one. Times are nanoseconds. */
export class Workload {
  readonly resource: Resource;
  /** That of its resource. */
  readonly key: string;
  /** Undefined: it is not a process. */
  readonly pid: number | undefined;
  /** Its group in each view, in the order of the views. */
  readonly groups: readonly Group[];
  /** The cgroup whose CPU time includes its own. Undefined: it is not a process. */
  readonly cgroup: CgroupNode | undefined;
  /** The cgroup in which it runs, if known. */
  readonly within: CgroupNode | undefined;
  /** The instants since when and until when it is known to exist. */
  readonly bornAt: number;
  /** Undefined: it has not ended. V8 would keep Infinity as an object for each workload. */
  endedAt: number | undefined;
  /** Its number of events, by their place among those by which energy is shared; undefined: none were counted. */
  events: (UsageCurve | undefined)[] | undefined;
  /** Counts of this workload that replace CPU time; undefined: none were counted. */
  counted: (UsageCurve | undefined)[] | undefined;
  /** Its CPU time on each package, by package number, where known; never on a machine with one package. */
  packages: Map<number, UsageCurve> | undefined;
  /** Number of its live counters. */
  counters = 0;
  /** The first of its counters of CPU time; each refers to the next one. */
  #cpuTimes: CpuTimeCounter | undefined;
  /** Undefined: it has used nothing so far, as most processes of a large machine. A curve takes 170 bytes. */
  #curve: UsageCurve | undefined;
  /** Its last reading until then. */
  #readAt: number;
  #grownNs = 0;
  #isRead = false;

  constructor(resource: Resource, bornAt: number, { groups, cgroup, within = cgroup }: Membership) {
    this.resource = resource;
    this.key = resourceKey(resource);
    const { [ATTR_PROCESS_PID]: pid } = resource.attributes;
    this.pid = pid === undefined ? undefined : Number(pid);
    this.groups = groups;
    this.cgroup = cgroup;
    this.within = within;
    this.bornAt = bornAt;
    this.#readAt = bornAt;
  }

  /** Its counter of a CPU time series, if it has one. */
  findCpuTime(series: Series): CpuTimeCounter | undefined {
    let counter = this.#cpuTimes;
    while (counter !== undefined && counter.series !== series) counter = counter.next;
    return counter;
  }

  addCpuTime(series: Series): CpuTimeCounter {
    this.counters += 1;
    return (this.#cpuTimes = new CpuTimeCounter(this, series, this.#cpuTimes));
  }

  /** @returns whether it had a counter of this series */
  removeCpuTime(series: Series): boolean {
    const counter = this.findCpuTime(series);
    if (counter === undefined) return false;
    if (counter === this.#cpuTimes) this.#cpuTimes = counter.next;
    for (let other = this.#cpuTimes; other !== undefined; other = other.next) {
      if (other.next === counter) other.next = counter.next;
    }
    return true;
  }

  /** It has a counter again after it ended. */
  revive(): void {
    this.endedAt = undefined;
  }

  /** Its counters were reset at this instant: the usage since the last reading is not known. */
  resume(at: number): void {
    this.revive();
    this.#read(at, 0);
  }

  /** One of its counters has a reading in the current row. */
  grow(grownNs: number): void {
    this.#isRead = true;
    this.#grownNs += grownNs;
  }

  /** All its counters in the row at this instant have been read. */
  finishRow(at: number): void {
    if (!this.#isRead) return;
    this.#read(at, this.#grownNs);
    this.#grownNs = 0;
    this.#isRead = false;
  }

  #read(at: number, grownNs: number): void {
    if (this.#curve === undefined) {
      if (grownNs === 0) {
        if (at > this.#readAt) this.#readAt = at;
        return;
      }
      this.#curve = new UsageCurve(this.bornAt);
      this.#curve.read(this.#readAt, 0);
    }
    this.#curve.read(at, grownNs);
  }

  /** CPU nanoseconds that it used between two boundaries; to be called once for each. */
  cut(from: number, to: number): number {
    return this.#curve?.cut(from, to) ?? 0;
  }

  /** For how many nanoseconds between two boundaries it is known to have existed. */
  countLifeNs(from: number, to: number): number {
    return Math.max(0, Math.min(to, this.endedAt ?? Infinity) - Math.max(from, this.bornAt));
  }
}

/** One CPU time counter of a workload. */
export class CpuTimeCounter {
  readonly workload: Workload;
  readonly series: Series;
  /** The next counter of the workload. A map of all series would take 45 bytes for each. */
  next: CpuTimeCounter | undefined;
  #lastNs = 0;

  constructor(workload: Workload, series: Series, next: CpuTimeCounter | undefined) {
    this.workload = workload;
    this.series = series;
    this.next = next;
  }

  /** @param seconds CPU time since the counter's start; not finite: no reading */
  read(seconds: number): void {
    const usedNs = Math.round(seconds * 1e9);
    if (!Number.isFinite(usedNs)) return;
    // A table may arrive twice or late: counted time is not subtracted.
    if (usedNs <= this.#lastNs) return this.workload.grow(0);
    this.workload.grow(usedNs - this.#lastNs);
    this.#lastNs = usedNs;
  }
}
