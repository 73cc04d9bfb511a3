import { elementAt } from '../element.js';
import type { EventGrowth } from './events.js';
import type { InstanceUse, Usage } from './usage.js';
import type { Weighing } from './weighing.js';
import type { Workload } from './workload.js';

/** The fraction of the usage that belongs to the first of two parts: of each workload, and of all others. */
interface Fractions {
  readonly own: readonly number[];
  readonly rest: number;
}

/**
 * Divides a usage at an instant within it. Each workload is assumed to have used the hardware evenly for as long as it
 * lived, unknown ones all the time. The parts add up to the whole.
 * @param from start of the usage
 */
export function splitUsage(usage: Usage, from: number, at: number): readonly [Usage, Usage] {
  const own = usage.workloads.map((workload) => partBefore(at, [from, usage.to], workload));
  const first = takeFirst(usage, at, { own, rest: (at - from) / (usage.to - from) });
  return [first, takeRest(usage, first)];
}

/** The fraction of a workload's life within a period that is before an instant. */
export function partBefore(
  at: number,
  [from, to]: readonly [number, number],
  { bornAt, endedAt }: Workload,
): number {
  const since = Math.max(from, bornAt);
  const until = Math.min(to, endedAt ?? Infinity);
  if (at <= since) return 0;
  return at >= until ? 1 : (at - since) / (until - since);
}

function takeFirst(usage: Usage, at: number, fractions: Fractions): Usage {
  const { busyNs, cpuNs, machineBusyNs, interruptNs, weighing, events, instances } = usage;
  const { own, rest } = fractions;
  const ownNs = scale(cpuNs, own);
  return {
    ...usage,
    firstTo: Math.min(usage.firstTo, at),
    to: at,
    busyNs: sum(ownNs) + Math.round(Math.max(0, busyNs - sum(cpuNs)) * rest),
    cpuNs: ownNs,
    lifeNs: scale(usage.lifeNs, own),
    ...(machineBusyNs !== undefined && { machineBusyNs: Math.round(machineBusyNs * rest) }),
    ...(interruptNs !== undefined && { interruptNs: Math.round(interruptNs * rest) }),
    ...(weighing && { weighing: takeFirstWeights(weighing, fractions) }),
    ...(events && { events: takeFirstEvents(events, fractions) }),
    ...(instances && {
      instances: instances.map(({ id, usedNs }) => ({ id, usedNs: Math.round(usedNs * rest) })),
    }),
  };
}

function takeFirstWeights(weighing: Weighing, { own, rest }: Fractions): Weighing {
  const { whole, byTime } = weighing;
  const parts = scale(weighing.parts, own);
  const firstWhole = sum(parts) + Math.round(Math.max(0, whole - sum(weighing.parts)) * rest);
  return {
    ...weighing,
    parts,
    whole: firstWhole,
    byTime: whole > 0 ? Math.round((byTime * firstWhole) / whole) : 0,
  };
}

/** Counts need not be integers. */
function takeFirstEvents({ machine, workloads }: EventGrowth, { own, rest }: Fractions): EventGrowth {
  const firstOf = workloads.map((counts) => counts.map((count, i) => count * elementAt(own, i)));
  return {
    machine: machine.map((count, event) => {
      return sum(elementAt(firstOf, event)) + Math.max(0, count - sum(elementAt(workloads, event))) * rest;
    }),
    workloads: firstOf,
  };
}

/** What a usage has beyond its first part. */
function takeRest(usage: Usage, first: Usage): Usage {
  const { machineBusyNs, interruptNs, weighing, events, instances } = usage;
  return {
    ...usage,
    busyNs: Math.max(0, usage.busyNs - first.busyNs),
    cpuNs: subtract(usage.cpuNs, first.cpuNs),
    lifeNs: subtract(usage.lifeNs, first.lifeNs),
    ...(machineBusyNs !== undefined && { machineBusyNs: machineBusyNs - (first.machineBusyNs ?? 0) }),
    ...(interruptNs !== undefined && { interruptNs: interruptNs - (first.interruptNs ?? 0) }),
    ...(weighing && first.weighing && { weighing: restOfWeights(weighing, first.weighing) }),
    ...(events && first.events && { events: restOfEvents(events, first.events) }),
    ...(instances && first.instances && { instances: restOfInstances(instances, first.instances) }),
  };
}

function restOfWeights(weighing: Weighing, first: Weighing): Weighing {
  return {
    ...weighing,
    parts: subtract(weighing.parts, first.parts),
    whole: Math.max(0, weighing.whole - first.whole),
    byTime: Math.max(0, weighing.byTime - first.byTime),
  };
}

function restOfEvents({ machine, workloads }: EventGrowth, first: EventGrowth): EventGrowth {
  return {
    machine: subtract(machine, first.machine).map((count) => Math.max(0, count)),
    workloads: workloads.map((counts, event) => subtract(counts, elementAt(first.workloads, event))),
  };
}

function restOfInstances(
  instances: readonly InstanceUse[],
  first: readonly InstanceUse[],
): readonly InstanceUse[] {
  return instances.map(({ id, usedNs }, i) => ({ id, usedNs: usedNs - elementAt(first, i).usedNs }));
}

function scale(values: readonly number[], fractions: readonly number[]): number[] {
  return values.map((value, i) => Math.round(value * elementAt(fractions, i)));
}

function subtract(values: readonly number[], others: readonly number[]): number[] {
  return values.map((value, i) => value - elementAt(others, i));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
