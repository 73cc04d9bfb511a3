import { elementAt } from '../element.js';
import type { EventGrowth } from './events.js';
import type { Weighing, Weighings } from './weighing.js';
import { compareWorkloads, type Workload } from './workload.js';

/** A window with fewer ticks is too coarse: a busy process would appear idle in one and twice as busy in the next. */
const minTicks = 25;

/** Usage by each workload between two boundaries: CPU time, or time of one GPU. Times are nanoseconds. */
export interface Usage {
  /** The first boundary in it: `to`, or an earlier one where several usages were merged. */
  readonly firstTo: number;
  /** Its end. It starts at the end of the previous one. */
  readonly to: number;
  /** Busy time of the whole machine, or of the GPU. */
  readonly busyNs: number;
  /** The part of the busy time that interrupts took and that is in no workload; undefined: not known. */
  readonly interruptNs?: number;
  /** Whether nothing used the hardware. Undefined: the busy time decides. */
  readonly isQuiet?: boolean;
  /** Whether the usage of the workloads is not known. */
  readonly isGap: boolean;
  /** Busy time of the machine, if `busyNs` is that of a package, or a sum of weights other than time. */
  readonly machineBusyNs?: number;
  /** Why energy without a workload is unattributed. Undefined: unseen workloads used it. */
  readonly restReason?: 'no_usage';
  /** In their order; workloads that used nothing may be missing. */
  readonly workloads: readonly Workload[];
  /** Usage of each workload. */
  readonly cpuNs: readonly number[];
  /** Lifetime of each workload within the usage. */
  readonly lifeNs: readonly number[];
  /** The part on each package, where there are several and that is known. */
  readonly packages?: readonly PackageUse[];
  /** Where energy is shared by events. */
  readonly events?: EventGrowth;
  /** Weights other than time by which energy can be shared, where they were counted. */
  readonly weighings?: Weighings;
  /** The one of these by which a domain's energy is shared. */
  readonly weighing?: Weighing;
  /** Usage of each MIG instance of a GPU, including that of unknown workloads. */
  readonly instances?: readonly InstanceUse[];
}

/** Usage of the CPUs of one package. */
export interface PackageUse {
  /** The kernel's package number. */
  readonly number: number;
  readonly busyNs: number;
  /** CPU time there of each workload of the usage. */
  readonly cpuNs: readonly number[];
}

/**
 * The usage of a package; that of the machine where it is not known by package.
 * @param number undefined: no package
 * @param weigh chooses the weight, from those of the package
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

/** The package of interrupts is not known: they are assumed to take the same fraction of the busy time of each. */
function partOf(packageNs: number, { interruptNs = 0, busyNs }: Usage): number {
  return busyNs > 0 ? (interruptNs * packageNs) / busyNs : 0;
}

/** A usage with the interrupts' part of it; unchanged where there were none. */
export function withInterrupts(usage: Usage, interruptNs: number): Usage {
  return interruptNs > 0 && !usage.isGap ? { ...usage, interruptNs } : usage;
}

/** Usage of a MIG instance, as a part of its GPU's. */
export interface InstanceUse {
  readonly id: string;
  readonly usedNs: number;
}

/** A usage of which only the period is known. */
export function createGap(to: number): Usage {
  return { firstTo: to, to, busyNs: 0, isGap: true, workloads: [], cpuNs: [], lifeNs: [] };
}

/** The usage by which energy up to an earlier instant is shared: workloads that started later get none of it. */
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

/** The usage for hardware that this usage does not explain: nothing was used. */
export function withoutWorkloads({ firstTo, to, isGap }: Usage): Usage {
  return { firstTo, to, isGap, busyNs: 0, workloads: [], cpuNs: [], lifeNs: [] };
}

interface Sum {
  cpuNs: number;
  lifeNs: number;
  weighed: number;
  readonly events: number[];
}

/** One usage over all these contiguous ones. If one of them is a gap, the result is a gap. */
export function mergeUsages(usages: readonly Usage[]): Usage {
  const first = elementAt(usages, 0);
  if (usages.length === 1) return first;
  const { to } = elementAt(usages, usages.length - 1);
  if (usages.some((usage) => usage.isGap)) return createGap(to);
  const sums = new Map<Workload, Sum>();
  for (const usage of usages) addUsage(sums, usage);
  const instances = mergeInstances(usages);
  const weighing = mergeWeighings(usages);
  const entries = [...sums].toSorted(([a], [b]) => compareWorkloads(a, b));
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

/** The weights that all have; undefined: they were not counted in the same way throughout. */
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
 * How far the CPU time of a running process may lag behind, as reported by the receiver of the usage
 * (docs/ledger.md, Usage). 0 where nothing is reported: the usage of simulations and counters is exact.
 */
export class UsageTick {
  #ns = 0;

  /** Nanoseconds. */
  get ns(): number {
    return this.#ns;
  }

  /** The minimum length of a window, in nanoseconds. */
  get minWindowNs(): number {
    return minTicks * this.#ns;
  }

  /** @param seconds not finite: no reading */
  read(seconds: number): void {
    const ns = seconds * 1e9;
    if (ns >= 0 && ns < Infinity) this.#ns = ns;
  }
}
