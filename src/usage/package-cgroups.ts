import { elementAt } from '../element.js';
import type { UsageCurve } from '../energy/usage-curve.js';
import type { CgroupNode } from './cgroup-node.js';

/** What each cgroup used on each package beyond its known workloads and its children: nanoseconds. */
export type PackageRests = ReadonlyMap<CgroupNode, number[]>;

/** The cgroups whose CPU time is known by package. */
export class PackageCgroups {
  readonly #nodes = new Set<CgroupNode>();

  /** The curves of a cgroup's CPU time, by package number. */
  curvesOf(node: CgroupNode | undefined): Map<number, UsageCurve> | undefined {
    if (node) this.#nodes.add(node);
    return node?.packages;
  }

  /**
   * What they used between two boundaries; to be called once for each.
   * @param numbers of the packages
   */
  cut([from, to]: readonly [number, number], numbers: readonly number[]): PackageRests {
    const used = new Map<CgroupNode, readonly number[]>();
    for (const node of this.#nodes) {
      if (node.packages.size === 0) this.#nodes.delete(node);
      else
        used.set(
          node,
          numbers.map((number) => node.packages.get(number)?.cut(from, to) ?? 0),
        );
    }
    const rests = new Map([...used].map(([node, own]) => [node, [...own]]));
    for (const [node, own] of used) takeFrom(rests, node.parent, own);
    return rests;
  }
}

/** Subtracts the known usage of a workload or of a child cgroup from the nearest ancestor whose usage is known, too. */
export function takeFrom(rests: PackageRests, node: CgroupNode | undefined, usedNs: readonly number[]): void {
  const rest = findRest(rests, node);
  if (rest === undefined) return;
  for (let p = 0; p < rest.length; p++) {
    rest[p] = Math.max(0, elementAt(rest, p) - elementAt(usedNs, p));
  }
}

/** The rest of the nearest known cgroup, going up; undefined: none is known. */
export function findRest(rests: PackageRests, node: CgroupNode | undefined): number[] | undefined {
  for (let one = node; one !== undefined; one = one.parent) {
    const rest = rests.get(one);
    if (rest !== undefined) return rest;
  }
  return undefined;
}
