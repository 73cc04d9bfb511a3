import { UsageCurve } from '../energy/usage-curve.js';
import { ATTR_PROCESS_PID } from '../model/semantic-conventions.js';
import { compareResourceKeys, resourceKey, type Resource } from '../model/series.js';
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
  endedAt = Infinity;
  /** Its number of events, by their place among those by which energy is shared; undefined: none were counted. */
  events: (UsageCurve | undefined)[] | undefined;
  /** Counts of this workload that replace CPU time; undefined: none were counted. */
  counted: (UsageCurve | undefined)[] | undefined;
  /** Its CPU time on each package, by package number, where known; never on a machine with one package. */
  packages: Map<number, UsageCurve> | undefined;
  /** Number of its live counters. */
  counters = 0;
  readonly #curve: UsageCurve;
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
    this.#curve = new UsageCurve(bornAt);
  }

  /** It has a counter again after it ended. */
  revive(): void {
    this.endedAt = Infinity;
  }

  /** Its counters were reset at this instant: the usage since the last reading is not known. */
  resume(at: number): void {
    this.revive();
    this.#curve.read(at, 0);
  }

  /** One of its counters has a reading in the current row. */
  grow(grownNs: number): void {
    this.#isRead = true;
    this.#grownNs += grownNs;
  }

  /** All its counters in the row at this instant have been read. */
  finishRow(at: number): void {
    if (!this.#isRead) return;
    this.#curve.read(at, this.#grownNs);
    this.#grownNs = 0;
    this.#isRead = false;
  }

  /** CPU nanoseconds that it used between two boundaries; to be called once for each. */
  cut(from: number, to: number): number {
    return this.#curve.cut(from, to);
  }

  /** For how many nanoseconds between two boundaries it is known to have existed. */
  countLifeNs(from: number, to: number): number {
    return Math.max(0, Math.min(to, this.endedAt) - Math.max(from, this.bornAt));
  }
}

/** One CPU time counter of a workload. */
export class CpuTimeCounter {
  readonly workload: Workload;
  #lastNs = 0;

  constructor(workload: Workload) {
    this.workload = workload;
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
