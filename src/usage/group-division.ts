import type { PackageUse } from './usage.js';
import type { PackageWeighing, Weight } from './weighing.js';

/** A package, or all CPUs where packages are not known. */
export interface PackageTimes extends Pick<PackageUse, 'busyNs' | 'cpuNs'> {
  /** The kernel's package number. */
  readonly number: number | undefined;
}

/** Workloads in groups that are counted together. */
export interface Grouping {
  /** Number of groups. The first one has every workload that is in no other, including unknown ones. */
  readonly count: number;
  /** The index of each workload's group. */
  readonly groupOf: readonly number[];
  readonly packages: readonly PackageTimes[];
}

/**
 * Counts of each group, by the package whose CPUs caused them: those that went to this package's memory, and
 * those that went to the memory of others. The groups of the first package come first.
 */
export interface Counted {
  readonly local: Float64Array;
  readonly remote: Float64Array;
}

export interface Division extends Grouping, Counted {
  readonly weight: Weight;
  /** Number of integer parts per count; smaller amounts are rounded. */
  readonly scale: number;
}

/**
 * Divides the counts of groups among their workloads: by CPU time on each package within a group, so that a
 * workload that is alone in its group gets exactly its count (docs/ledger.md, Memory).
 * @returns for each package, the use of its memory in total and by each workload
 */
export function divideGroups(division: Division): readonly PackageWeighing[] {
  const { weight, packages, scale } = division;
  const usedNs = sumByGroup(division);
  const isShared = findShared(division);
  return packages.map(({ number }, to) => {
    const moved = findMoved(division, to);
    const [whole, byTime] = [total(moved), total(moved, isShared)].map((sum) => Math.round(scale * sum));
    const parts = divide(division, moved, usedNs);
    return { number, weight, parts, whole, byTime };
  });
}

/**
 * Distributes counts of groups that are not known by package over the packages, by the CPU time of their
 * workloads.
 * @param counts of each group
 */
export function spreadCounts(counts: readonly number[], grouping: Grouping): Counted {
  const { count, packages } = grouping;
  const usedNs = sumByGroup(grouping);
  const local = new Float64Array(usedNs.length);
  for (let group = 0; group < count; group++) {
    let wholeNs = 0;
    for (let at = group; at < usedNs.length; at += count) wholeNs += usedNs[at];
    // Counts without any usage belong to no workload, so that their package does not matter.
    for (let at = group; at < usedNs.length; at += count) {
      local[at] = counts[group] * (wholeNs > 0 ? usedNs[at] / wholeNs : 1 / packages.length);
    }
  }
  return { local, remote: new Float64Array(usedNs.length) };
}

/** Use of each package by each group; the first one includes what no workload used. */
function sumByGroup({ count, groupOf, packages }: Grouping): Float64Array {
  const usedNs = new Float64Array(count * packages.length);
  for (const [at, { busyNs, cpuNs }] of packages.entries()) {
    const first = at * count;
    let seenNs = 0;
    for (let i = 0; i < groupOf.length; i++) {
      usedNs[first + groupOf[i]] += cpuNs[i];
      seenNs += cpuNs[i];
    }
    usedNs[first] += Math.max(0, busyNs - seenNs);
  }
  return usedNs;
}

/** For each group, 0 if it has exactly one workload, otherwise 1. */
function findShared({ count, groupOf }: Grouping): Float64Array {
  const workloads = new Float64Array(count);
  for (let i = 0; i < groupOf.length; i++) workloads[groupOf[i]] += 1;
  return workloads.map((number, group) => (group > 0 && number === 1 ? 0 : 1));
}

/**
 * What each group moved from each package to the memory of one. Among several other packages, it is not known
 * which one's memory was used.
 */
function findMoved({ count, packages, local, remote }: Division, to: number): Float64Array {
  const others = packages.length - 1;
  return local.map((bytes, at) => {
    if (others === 0) return bytes + remote[at];
    return Math.floor(at / count) === to ? bytes : remote[at] / others;
  });
}

function divide({ count, groupOf, packages, scale }: Division, moved: Float64Array, usedNs: Float64Array) {
  const parts: number[] = [];
  for (let i = 0; i < groupOf.length; i++) {
    let part = 0;
    for (let from = 0; from < packages.length; from++) {
      const at = from * count + groupOf[i];
      if (moved[at] > 0) part += (moved[at] * packages[from].cpuNs[i]) / (usedNs[at] || Infinity);
    }
    parts.push(Math.round(scale * part));
  }
  return parts;
}

/** @param factors for each group; undefined: 1 */
function total(moved: Float64Array, factors?: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < moved.length; at++) sum += moved[at] * (factors ? factors[at % factors.length] : 1);
  return sum;
}
