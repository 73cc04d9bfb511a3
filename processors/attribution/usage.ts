import type { Consumer } from './consumer.js';

/** Who used how much CPU time between two boundaries. Nanoseconds throughout. */
export interface Usage {
  /** The first boundary in it: `to`, or an earlier one where several usages were merged. */
  readonly firstTo: number;
  /** Where it ends. It begins where the one before ended. */
  readonly to: number;
  /** Busy time of the whole machine. */
  readonly busyNs: number;
  /** Whether nobody knows who used what. */
  readonly isGap: boolean;
  /** Consumers in the order of their keys; who used nothing may be missing. */
  readonly consumers: readonly Consumer[];
  /** CPU time of each. */
  readonly cpuNs: readonly number[];
  /** Time that each lived. */
  readonly lifeNs: readonly number[];
}

/** A usage of which only the time is known. */
export function createGap(to: number): Usage {
  return { firstTo: to, to, busyNs: 0, isGap: true, consumers: [], cpuNs: [], lifeNs: [] };
}

/** A usage as the shares of energy that ends before it: who was born later has none. */
export function cutUsage(usage: Usage, to: number): Usage {
  const wasBorn = usage.consumers.map(({ bornAt }) => bornAt < to);
  const keep = <Item>(items: readonly Item[]) => items.filter((_, i) => wasBorn[i]);
  const laterNs = usage.cpuNs.reduce((sumNs, cpuNs, i) => sumNs + (wasBorn[i] ? 0 : cpuNs), 0);
  return {
    ...usage,
    firstTo: Math.min(usage.firstTo, to),
    to,
    busyNs: Math.max(0, usage.busyNs - laterNs),
    consumers: keep(usage.consumers),
    cpuNs: keep(usage.cpuNs),
    lifeNs: keep(usage.lifeNs),
  };
}

interface Sum {
  cpuNs: number;
  lifeNs: number;
}

/** One usage over all these, which follow each other. A gap among them makes a gap of the whole. */
export function mergeUsages(usages: readonly [Usage, ...Usage[]]): Usage {
  if (usages.length === 1) return usages[0];
  const to = usages[usages.length - 1].to;
  if (usages.some((usage) => usage.isGap)) return createGap(to);
  const sums = new Map<Consumer, Sum>();
  for (const usage of usages) addUsage(sums, usage);
  const entries = [...sums].toSorted(([a], [b]) => (a.key < b.key ? -1 : 1));
  return {
    firstTo: usages[0].firstTo,
    to,
    busyNs: usages.reduce((busyNs, usage) => busyNs + usage.busyNs, 0),
    isGap: false,
    consumers: entries.map(([consumer]) => consumer),
    cpuNs: entries.map(([, { cpuNs }]) => cpuNs),
    lifeNs: entries.map(([, { lifeNs }]) => lifeNs),
  };
}

function addUsage(sums: Map<Consumer, Sum>, { consumers, cpuNs, lifeNs }: Usage): void {
  for (const [i, consumer] of consumers.entries()) {
    const known = sums.get(consumer);
    if (known === undefined) {
      sums.set(consumer, { cpuNs: cpuNs[i], lifeNs: lifeNs[i] });
      continue;
    }
    known.cpuNs += cpuNs[i];
    known.lifeNs += lifeNs[i];
  }
}
