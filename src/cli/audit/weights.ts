import type { Difference, DomainSheet, WindowSheet } from './sheet.js';
import { divide, sum } from './whole-numbers.js';

/** The weights that replace CPU time if they were counted. */
const counted = new Set(['counters', 'frequency_cpu_time', 'memory_bandwidth', 'cache_misses']);

/** A window is shared by one of the weights of its domain; with events, the weights are their costs. */
export function checkWeight(sheet: WindowSheet, domain: DomainSheet): Difference | undefined {
  const { weight, is_gap: isGap } = sheet;
  const isCounted = domain.weights === 'cpu_time' && !isGap && counted.has(weight);
  if (weight !== domain.weights && !isCounted) {
    return { figure: 'what it is shared by', expected: domain.weights, found: weight };
  }
  return checkRest(sheet, domain) ?? (weight === 'counters' ? checkCosts(sheet) : undefined);
}

/** The part of the weights that was shared by time, and whose energy is left, follow from the weight. */
function checkRest(
  { weight, whole_ns: wholeNs, rest, time_share: timeShare }: WindowSheet,
  domain: DomainSheet,
): Difference | undefined {
  const isRemainder = domain.weights === 'domain_energy' && wholeNs > 0;
  const expected = isRemainder ? 'no_usage' : 'unseen';
  if (rest !== expected) return { figure: 'rest', expected, found: rest };
  const part = weight === domain.weights ? 1 : weight === 'counters' ? 0 : undefined;
  if (part === undefined || timeShare === part) return undefined;
  return { figure: 'share by time', expected: String(part), found: String(timeShare) };
}

function checkCosts({ used, busy_ns: busyNj, costs = [], counts = [] }: WindowSheet): Difference | undefined {
  const wholeNj = costOf(costs, counts);
  if (wholeNj !== busyNj) return differ('cost of all events', wholeNj, busyNj);
  for (const [workload = NaN, foundNj = NaN, , , ...own] of used) {
    const expectedNj = costOf(costs, own);
    if (expectedNj !== foundNj) return { ...differ('cost of events', expectedNj, foundNj), workload };
  }
  return undefined;
}

function costOf(costs: readonly number[], counts: readonly number[]): number {
  return Math.round(costs.reduce((costNj, cost, i) => costNj + cost * (counts[i] ?? 0), 0));
}

/**
 * Each instance of a GPU is charged energy above the floor in proportion to its GPU time.
 * @param idleNj the possible idle energies of the window
 */
export function checkInstances(sheet: WindowSheet, idleNj: readonly bigint[]): Difference | undefined {
  const { instances = [], energy_nj: energyNj, whole_ns: wholeNs } = sheet;
  if (instances.length === 0) return undefined;
  const used = instances.map(([, usedNs]) => BigInt(usedNs));
  const usedNs = sum(used);
  const allNs = usedNs > BigInt(wholeNs) ? usedNs : BigInt(wholeNs);
  const expected = idleNj.map((oneNj) =>
    divide(wholeNs > 0 ? BigInt(energyNj) - oneNj : 0n, used, allNs > 0n ? allNs : 1n),
  );
  if (expected.some((shares) => instances.every(([, , foundNj], i) => shares[i] === BigInt(foundNj)))) {
    return undefined;
  }
  const [first = []] = expected;
  const at = instances.findIndex(([, , foundNj], i) => first[i] !== BigInt(foundNj));
  const [id, , foundNj] = instances[at] ?? ['', 0, 0];
  return differ(`part of instance "${id}"`, Number(first[at] ?? 0n), foundNj);
}

function differ(figure: string, expected: number, found: number): Difference {
  return { figure, expected: `${expected} nJ`, found: `${found} nJ` };
}
