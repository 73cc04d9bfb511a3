import { elementAt } from '../../src/element.js';
import { UsageCurve } from '../../src/energy/usage-curve.js';
import { resourceKey, type Resource } from '../../src/model/series.js';
import type { CgroupNode } from './cgroup-node.js';
import type { Group } from './view.js';

/** Where a workload belongs. */
export interface Membership {
  readonly groups: readonly Group[];
  readonly cgroup?: CgroupNode | undefined;
  /** Undefined: as its resource says. */
  readonly key?: string;
}

/** What uses CPU and GPU time: a process, or what a receiver sums up as one. Times are nanoseconds. */
export class Workload {
  readonly resource: Resource;
  /** Decides its place among the workloads. */
  readonly key: string;
  /** Its group in each view, in the order of the views. */
  readonly groups: readonly Group[];
  /** Whose CPU time its own is a part of. Undefined: it is not a process. */
  readonly cgroup: CgroupNode | undefined;
  /** Since when it is known to live, and until when. */
  readonly bornAt: number;
  endedAt = Infinity;
  /** How many of its counters are live. */
  counters = 0;
  readonly #curve: UsageCurve;
  #grownNs = 0;
  #isRead = false;

  constructor(resource: Resource, bornAt: number, { groups, cgroup, key }: Membership) {
    this.resource = resource;
    this.key = key ?? resourceKey(resource);
    this.groups = groups;
    this.cgroup = cgroup;
    this.bornAt = bornAt;
    this.#curve = new UsageCurve(bornAt);
  }

  /** It has a counter again after its end. */
  revive(): void {
    this.endedAt = Infinity;
  }

  /** Its counters were reset at this instant: what was used between the last reading and it is not known. */
  resume(at: number): void {
    this.revive();
    this.#curve.read(at, 0);
  }

  /** One of its counters has a reading in the row that is being read. */
  grow(grownNs: number): void {
    this.#isRead = true;
    this.#grownNs += grownNs;
  }

  /** All counters of the row at this instant have been read. */
  finishRow(at: number): void {
    if (!this.#isRead) return;
    this.#curve.read(at, this.#grownNs);
    this.#grownNs = 0;
    this.#isRead = false;
  }

  /** CPU nanoseconds that it used between two boundaries, asked once for each. */
  cut(from: number, to: number): number {
    return this.#curve.cut(from, to);
  }

  /** For how many nanoseconds between two boundaries it is known to have lived. */
  countLifeNs(from: number, to: number): number {
    return Math.max(0, Math.min(to, this.endedAt) - Math.max(from, this.bornAt));
  }
}

/** One CPU time counter of a workload. */
export class CpuTimeCounter {
  readonly workload: Workload;
  #lastSeconds = 0;
  #lastNs = 0;

  constructor(workload: Workload) {
    this.workload = workload;
  }

  /** @param seconds CPU time since the counter's start; NaN: no reading */
  read(seconds: number): void {
    if (seconds === this.#lastSeconds) return this.workload.grow(0);
    if (Number.isNaN(seconds)) return;
    const usedNs = Math.round(seconds * 1e9);
    // A table may come twice, or late: what was counted once stays counted.
    this.workload.grow(Math.max(0, usedNs - this.#lastNs));
    this.#lastSeconds = seconds;
    this.#lastNs = Math.max(this.#lastNs, usedNs);
  }
}

/** How much each workload used between two boundaries: CPU time, or time of one GPU. Nanoseconds throughout. */
export interface Usage {
  /** The first boundary in it: `to`, or an earlier one where several usages were merged. */
  readonly firstTo: number;
  /** Where it ends. It begins where the one before ended. */
  readonly to: number;
  /** Busy time of the whole machine, or of the GPU. */
  readonly busyNs: number;
  /** Whether nothing used the hardware. Undefined: the busy time decides. */
  readonly isQuiet?: boolean;
  /** Whether it is not known which workload used what. */
  readonly isGap: boolean;
  /** In the order of their keys; workloads that used nothing may be missing. */
  readonly workloads: readonly Workload[];
  /** What each used. */
  readonly cpuNs: readonly number[];
  /** For how long each lived. */
  readonly lifeNs: readonly number[];
}

/** A usage of which only the time is known. */
export function createGap(to: number): Usage {
  return { firstTo: to, to, busyNs: 0, isGap: true, workloads: [], cpuNs: [], lifeNs: [] };
}

/** The usage by which energy up to an earlier instant is shared: workloads that were born later get none of it. */
export function cutUsage(usage: Usage, to: number): Usage {
  const wasBorn = usage.workloads.map(({ bornAt }) => bornAt < to);
  const keep = <Item>(items: readonly Item[]) => items.filter((_, i) => wasBorn[i]);
  const laterNs = usage.cpuNs.reduce((sumNs, cpuNs, i) => sumNs + (wasBorn[i] ? 0 : cpuNs), 0);
  return {
    ...usage,
    firstTo: Math.min(usage.firstTo, to),
    to,
    busyNs: Math.max(0, usage.busyNs - laterNs),
    workloads: keep(usage.workloads),
    cpuNs: keep(usage.cpuNs),
    lifeNs: keep(usage.lifeNs),
  };
}

/** The usage by which hardware is explained that this usage does not explain: nothing was used. */
export function withoutWorkloads({ firstTo, to, isGap }: Usage): Usage {
  return { firstTo, to, isGap, busyNs: 0, workloads: [], cpuNs: [], lifeNs: [] };
}

interface Sum {
  cpuNs: number;
  lifeNs: number;
}

/** One usage over all these, which follow each other. A gap among them makes the whole a gap. */
export function mergeUsages(usages: readonly Usage[]): Usage {
  const first = elementAt(usages, 0);
  if (usages.length === 1) return first;
  const { to } = elementAt(usages, usages.length - 1);
  if (usages.some((usage) => usage.isGap)) return createGap(to);
  const sums = new Map<Workload, Sum>();
  for (const usage of usages) addUsage(sums, usage);
  const entries = [...sums].toSorted(([a], [b]) => (a.key < b.key ? -1 : 1));
  return {
    firstTo: first.firstTo,
    to,
    busyNs: usages.reduce((busyNs, usage) => busyNs + usage.busyNs, 0),
    ...(first.isQuiet !== undefined && { isQuiet: usages.every(({ isQuiet }) => isQuiet) }),
    isGap: false,
    workloads: entries.map(([workload]) => workload),
    cpuNs: entries.map(([, { cpuNs }]) => cpuNs),
    lifeNs: entries.map(([, { lifeNs }]) => lifeNs),
  };
}

function addUsage(sums: Map<Workload, Sum>, { workloads, cpuNs, lifeNs }: Usage): void {
  for (const [i, workload] of workloads.entries()) {
    const known = sums.get(workload);
    if (known === undefined) {
      sums.set(workload, { cpuNs: cpuNs[i], lifeNs: lifeNs[i] });
      continue;
    }
    known.cpuNs += cpuNs[i];
    known.lifeNs += lifeNs[i];
  }
}
