import { elementAt } from '../element.js';
import type { UsageCurve } from '../energy/usage-curve.js';
import type { CgroupNode } from './cgroup-node.js';

/** What each cgroup used on each package that neither a known workload of it nor a cgroup below it used: nanoseconds. */
export type PackageRests = ReadonlyMap<CgroupNode, number[]>;

/** The cgroups of which it is known on which packages they used CPU time. */
export class PackageCgroups {
  readonly #nodes = new Set<CgroupNode>();

  /** Where what a cgroup used on each package is counted, by the number of the package. */
  curvesOf(node: CgroupNode | undefined): Map<number, UsageCurve> | undefined {
    if (node) this.#nodes.add(node);
    return node?.packages;
  }

  /**
   * What they used between two boundaries, asked once for each.
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

/** Takes what is known of a workload or of a cgroup below from the nearest cgroup of which it is known, too. */
export function takeFrom(rests: PackageRests, node: CgroupNode | undefined, usedNs: readonly number[]): void {
  const rest = findRest(rests, node);
  if (rest === undefined) return;
  for (let p = 0; p < rest.length; p++) {
    rest[p] = Math.max(0, elementAt(rest, p) - elementAt(usedNs, p));
  }
}

/** What is left of the nearest cgroup, going up; undefined: of none it is known. */
export function findRest(rests: PackageRests, node: CgroupNode | undefined): number[] | undefined {
  for (let one = node; one !== undefined; one = one.parent) {
    const rest = rests.get(one);
    if (rest !== undefined) return rest;
  }
  return undefined;
}
