import { elementAt } from '../element.js';
import type { EventGrowth } from './events.js';
import type { Weighing, Weighings } from './weighing.js';
import type { Workload } from './workload.js';

/** A single window of fewer ticks is too coarse: a busy process seems idle in one and twice as busy in the next. */
const minTicks = 25;

/** How much each workload used between two boundaries: CPU time, or time of one GPU. Nanoseconds throughout. */
export interface Usage {
  /** The first boundary in it: `to`, or an earlier one where several usages were merged. */
  readonly firstTo: number;
  /** Where it ends. It begins where the one before ended. */
  readonly to: number;
  /** Busy time of the whole machine, or of the GPU. */
  readonly busyNs: number;
  /** What of the busy time interrupts took that are in no workload; undefined: not known. */
  readonly interruptNs?: number;
  /** Whether nothing used the hardware. Undefined: the busy time decides. */
  readonly isQuiet?: boolean;
  /** Whether it is not known which workload used what. */
  readonly isGap: boolean;
  /** Busy time of the CPUs, where `busyNs` is of something else. */
  readonly machineBusyNs?: number;
  /** Why what no workload gets is unattributed. Undefined: workloads that were not seen used it. */
  readonly restReason?: 'no_usage';
  /** In the order of their keys; workloads that used nothing may be missing. */
  readonly workloads: readonly Workload[];
  /** What each used. */
  readonly cpuNs: readonly number[];
  /** For how long each lived. */
  readonly lifeNs: readonly number[];
  /** What of it was on each package, where there are several and that is known. */
  readonly packages?: readonly PackageUse[];
  /** Where energy is shared by events. */
  readonly events?: EventGrowth;
  /** What else energy can be shared by than time, where it was counted. */
  readonly weighings?: Weighings;
  /** The one of these that a domain is shared by. */
  readonly weighing?: Weighing;
  /** What each MIG instance of a GPU was used, with what no workload is known for. */
  readonly instances?: readonly InstanceUse[];
}

/** What was used of the CPUs of one package. */
export interface PackageUse {
  /** The kernel's number of it. */
  readonly number: number;
  readonly busyNs: number;
  /** What each workload of the usage used there. */
  readonly cpuNs: readonly number[];
}

/**
 * The usage of a package; that of the machine where it is not known by package.
 * @param number undefined: of no package
 * @param weigh chooses by what else it is shared, of the package's usage
 */
export function usageOn(
  usage: Usage,
  number: number | undefined,
  weigh: (weighings: Weighings, own: Usage) => Weighing | undefined,
): Usage {
  const { packages, weighings, ...machine } = usage;
  const found = packages?.find((one) => one.number === number);
  const own = found
    ? {
        ...machine,
        busyNs: found.busyNs,
        machineBusyNs: usage.busyNs,
        cpuNs: found.cpuNs,
        ...(usage.interruptNs !== undefined && { interruptNs: Math.round(partOf(found.busyNs, usage)) }),
      }
    : machine;
  const weighing = weighings && weigh(weighings, own);
  return weighing ? { ...own, weighing } : own;
}

/** It is not known on which package interrupts were: on each for the same part of its busy time. */
function partOf(packageNs: number, { interruptNs = 0, busyNs }: Usage): number {
  return busyNs > 0 ? (interruptNs * packageNs) / busyNs : 0;
}

/** A usage with what interrupts took of it; as it is where there were none. */
export function withInterrupts(usage: Usage, interruptNs: number): Usage {
  return interruptNs > 0 && !usage.isGap ? { ...usage, interruptNs } : usage;
}

/** How long a MIG instance was used, as a part of its GPU. */
export interface InstanceUse {
  readonly id: string;
  readonly usedNs: number;
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
    ...(usage.weighing && { weighing: cutWeighing(usage.weighing, wasBorn) }),
    ...(usage.events && { events: { ...usage.events, workloads: usage.events.workloads.map(keep) } }),
  };
}

function cutWeighing(weighing: Weighing, wasBorn: readonly boolean[]): Weighing {
  const { whole, parts, byTime } = weighing;
  const later = parts.reduce((sum, part, i) => sum + (wasBorn[i] ? 0 : part), 0);
  const left = Math.max(0, whole - later);
  return {
    ...weighing,
    whole: left,
    parts: parts.filter((_, i) => wasBorn[i]),
    byTime: whole > 0 ? Math.round((byTime * left) / whole) : 0,
  };
}

/** The usage by which hardware is explained that this usage does not explain: nothing was used. */
export function withoutWorkloads({ firstTo, to, isGap }: Usage): Usage {
  return { firstTo, to, isGap, busyNs: 0, workloads: [], cpuNs: [], lifeNs: [] };
}

interface Sum {
  cpuNs: number;
  lifeNs: number;
  weighed: number;
  readonly events: number[];
}

/** One usage over all these, which follow each other. A gap among them makes the whole a gap. */
export function mergeUsages(usages: readonly Usage[]): Usage {
  const first = elementAt(usages, 0);
  if (usages.length === 1) return first;
  const { to } = elementAt(usages, usages.length - 1);
  if (usages.some((usage) => usage.isGap)) return createGap(to);
  const sums = new Map<Workload, Sum>();
  for (const usage of usages) addUsage(sums, usage);
  const instances = mergeInstances(usages);
  const weighing = mergeWeighings(usages);
  const entries = [...sums].toSorted(([a], [b]) => (a.key < b.key ? -1 : 1));
  return {
    firstTo: first.firstTo,
    to,
    busyNs: usages.reduce((busyNs, usage) => busyNs + usage.busyNs, 0),
    ...(usages.some(({ machineBusyNs }) => machineBusyNs !== undefined) && {
      machineBusyNs: usages.reduce(
        (sumNs, { machineBusyNs, busyNs }) => sumNs + (machineBusyNs ?? busyNs),
        0,
      ),
    }),
    ...(usages.some(({ interruptNs }) => interruptNs !== undefined) && {
      interruptNs: usages.reduce((sumNs, { interruptNs = 0 }) => sumNs + interruptNs, 0),
    }),
    ...(first.isQuiet !== undefined && { isQuiet: usages.every(({ isQuiet }) => isQuiet) }),
    isGap: false,
    ...(instances.length > 0 && { instances }),
    ...(weighing && { weighing: { ...weighing, parts: entries.map(([, { weighed }]) => weighed) } }),
    workloads: entries.map(([workload]) => workload),
    cpuNs: entries.map(([, { cpuNs }]) => cpuNs),
    lifeNs: entries.map(([, { lifeNs }]) => lifeNs),
    ...(first.events && {
      events: {
        machine: first.events.machine.map((_, event) =>
          usages.reduce((sum, { events }) => sum + (events?.machine[event] ?? 0), 0),
        ),
        workloads: first.events.machine.map((_, event) => entries.map(([, { events }]) => events[event])),
      },
    }),
  };
}

function mergeInstances(usages: readonly Usage[]): readonly InstanceUse[] {
  const used = new Map<string, number>();
  for (const { instances = [] } of usages) {
    for (const { id, usedNs } of instances) used.set(id, (used.get(id) ?? 0) + usedNs);
  }
  return [...used].map(([id, usedNs]) => ({ id, usedNs }));
}

/** What they have in common; undefined: it was not counted the same way all the time. */
function mergeWeighings(usages: readonly Usage[]): Omit<Weighing, 'parts'> | undefined {
  let [whole, byTime] = [0, 0];
  const weight = usages.at(0)?.weighing?.weight;
  for (const { weighing } of usages) {
    if (weighing === undefined || weighing.weight !== weight) return undefined;
    whole += weighing.whole;
    byTime += weighing.byTime;
  }
  return weight ? { weight, whole, byTime } : undefined;
}

function addUsage(sums: Map<Workload, Sum>, { workloads, cpuNs, lifeNs, weighing, events }: Usage): void {
  const growths = events?.workloads ?? [];
  for (const [i, workload] of workloads.entries()) {
    const sum = sums.get(workload) ?? { cpuNs: 0, lifeNs: 0, weighed: 0, events: growths.map(() => 0) };
    sum.cpuNs += cpuNs[i];
    sum.lifeNs += lifeNs[i];
    if (weighing) sum.weighed += weighing.parts[i];
    for (let event = 0; event < growths.length; event++) sum.events[event] += growths[event][i];
    sums.set(workload, sum);
  }
}

/**
 * By how much the CPU time of a process may lag behind while the process runs, as the receiver of the usage reports it
 * (docs/ledger.md, Usage). 0 where it reports nothing: the usage of simulations and counters is exact.
 */
export class UsageTick {
  #ns = 0;

  /** Nanoseconds. */
  get ns(): number {
    return this.#ns;
  }

  /** The shortest window, in nanoseconds. */
  get minWindowNs(): number {
    return minTicks * this.#ns;
  }

  /** @param seconds NaN: no reading */
  read(seconds: number): void {
    if (seconds >= 0) this.#ns = seconds * 1e9;
  }
}
