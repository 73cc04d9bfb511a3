import { elementAt } from '../element.js';
import type { CpuCount } from '../energy/floor-learner.js';
import { share } from '../energy/share.js';
import { ATTR_PROCESS_EXECUTABLE_NAME } from '../model/semantic-conventions.js';
import type { Resource, Series } from '../model/series.js';
import { CgroupNode, type Margins } from './cgroup-node.js';
import { findCgroupPath } from './group-identity.js';
import type { UsageTick } from './usage.js';
import { compareWorkloads, type Workload } from './workload.js';

/** CPU times of cgroups of version 1 are counted in ticks of this length, like idle time. */
const coarseTickNs = 1e7;

export interface CgroupsOptions {
  /** Unix time in nanoseconds of time 0. */
  readonly epoch: bigint;
  readonly cpuCount: CpuCount;
  readonly tick: UsageTick;
  /** Creates a workload for the usage of a cgroup that no process explains. */
  createUnseen(resource: Resource, node: CgroupNode): Workload;
  /** Ends such a workload. */
  endUnseen(unseen: Workload): void;
}

/**
 * All cgroups, and the part of each one's CPU time that no process explains (docs/ledger.md, Cgroups): machine
 * >= cgroups >= processes. Times are nanoseconds.
 */
export class Cgroups {
  readonly #options: CgroupsOptions;
  /** Parent of the root, which has a counter where the collector sees only a part of the machine. */
  readonly #top = new CgroupNode('', undefined);
  readonly #byPath = new Map<string, CgroupNode>();
  /** Each one after its parent. */
  #nodes: CgroupNode[] = [this.#top];
  readonly #counters = new Map<Series, CgroupCounter>();
  /** Those that ever had a remainder, ordered by its key. */
  #remainders: { readonly node: CgroupNode; readonly unseen: Workload }[] = [];
  readonly #shares: number[] = [];
  #rowAt = NaN;
  #isRead = false;
  #hasEnded = false;

  constructor(options: CgroupsOptions) {
    this.#options = options;
  }

  /** The receiver of a cgroup's CPU time series. */
  counterOf(series: Series): CgroupCounter {
    const known = this.#counters.get(series);
    if (known) return known;
    const node = this.nodeOf(series.resource);
    const startedAt = Number(series.start - this.#options.epoch);
    node.open(startedAt);
    node.resource = series.resource;
    // What a cgroup used before its first reading counts only if it was created after the last row.
    const counter = new CgroupCounter(node, startedAt >= this.#rowAt);
    this.#counters.set(series, counter);
    return counter;
  }

  /** A series has no further readings. */
  end(series: Series): void {
    const counter = this.#counters.get(series);
    if (counter === undefined) return;
    this.#counters.delete(series);
    counter.node.counters -= 1;
    this.#hasEnded = true;
  }

  /** The row at this instant, with readings of these cgroups, has been read. */
  finishRow(nodes: readonly CgroupNode[], at: number): void {
    for (const node of nodes) if (node.finishRow(at)) this.#isRead = true;
    if (nodes.length > 0) this.#rowAt = at;
  }

  /** The cgroup of a workload; the parent of all cgroups where it is not known. */
  nodeOf({ attributes }: Resource): CgroupNode {
    const path = findCgroupPath(attributes);
    return path === undefined ? this.#top : this.#findOrAdd(path);
  }

  /** The cgroup whose series have this resource; undefined: not known. */
  find({ attributes }: Resource): CgroupNode | undefined {
    return this.#byPath.get(findCgroupPath(attributes) ?? '');
  }

  /** Removes a workload from a cgroup. */
  leave(node: CgroupNode): void {
    node.members -= 1;
    if (node.members === 0) this.#hasEnded = true;
  }

  /** The usage up to this boundary is not known. */
  skip(to: number): void {
    for (const node of this.#nodes) node.skip(to);
    this.#isRead = false;
    this.#sweep();
  }

  /**
   * Finds the CPU time of cgroups that no process explains.
   * @param freeNs busy time of the machine that no workload explains
   * @param take called with each workload of such usage, in their order, and its CPU time
   */
  complete(to: number, freeNs: number, take: (unseen: Workload, cpuNs: number) => void): void {
    if (this.#isRead) {
      this.#isRead = false;
      const margins = this.#margins();
      this.#ask(to, margins);
      this.#grant(freeNs);
      for (const node of this.#nodes.toReversed()) node.settle(margins);
      for (const { node, unseen } of this.#remainders) if (node.grantedNs > 0) take(unseen, node.grantedNs);
    }
    this.#sweep();
  }

  #margins(): Margins {
    const cpuCount = this.#options.cpuCount.value;
    const usageNs = 2 * coarseTickNs + 2 * cpuCount * this.#options.tick.ns;
    return { cpuCount, usageNs, busyNs: (6 + 2 * cpuCount) * coarseTickNs };
  }

  #ask(to: number, margins: Margins): void {
    for (const node of this.#nodes.toReversed()) node.compare(to, margins);
    for (const node of this.#nodes) {
      node.divide(this.#shares);
      if (node.askedNs > 0 && !node.hasRemainder) this.#addRemainder(node);
    }
  }

  /** Requests are granted as far as the machine was busy beyond its processes. */
  #grant(freeNs: number): void {
    const asked = this.#remainders.map(({ node }) => node.askedNs);
    const askedNs = asked.reduce((sumNs, oneNs) => sumNs + oneNs, 0);
    if (askedNs === 0) return;
    share(Math.min(askedNs, freeNs), asked, askedNs, this.#shares);
    for (const [i, { node }] of this.#remainders.entries()) node.grantedNs = elementAt(this.#shares, i);
  }

  #addRemainder(node: CgroupNode): void {
    const attributes = { ...node.resource?.attributes, [ATTR_PROCESS_EXECUTABLE_NAME]: 'unseen' };
    const unseen = this.#options.createUnseen({ attributes }, node);
    node.hasRemainder = true;
    const at = this.#remainders.findIndex((one) => compareWorkloads(one.unseen, unseen) > 0);
    this.#remainders.splice(at < 0 ? this.#remainders.length : at, 0, { node, unseen });
  }

  #endRemainder(node: CgroupNode): void {
    node.hasRemainder = false;
    const [ended] = this.#remainders.splice(
      this.#remainders.findIndex((one) => one.node === node),
      1,
    );
    if (ended) this.#options.endUnseen(ended.unseen);
  }

  #findOrAdd(path: string): CgroupNode {
    const known = this.#byPath.get(path);
    if (known) return known;
    const end = path.lastIndexOf('/');
    const above = end > 0 ? path.slice(0, end) : '/';
    const node = new CgroupNode(path, path === '/' ? this.#top : this.#findOrAdd(above));
    this.#byPath.set(path, node);
    this.#nodes.push(node);
    return node;
  }

  /** Removes what has ended. What a cgroup used after its last reading is in the counters of its parent. */
  #sweep(): void {
    if (!this.#hasEnded) return;
    this.#hasEnded = false;
    for (const node of this.#nodes.toReversed()) if (node !== this.#top) this.#close(node);
    this.#nodes = this.#nodes.filter((node) => node === this.#top || this.#byPath.has(node.path));
  }

  #close(node: CgroupNode): void {
    if (node.counters === 0 && node.hasCounter) {
      node.close();
      if (node.hasRemainder) this.#endRemainder(node);
    }
    if (!node.isEmpty) return;
    node.parent?.children.splice(node.parent.children.indexOf(node), 1);
    this.#byPath.delete(node.path);
  }
}

/** One CPU time counter of a cgroup. */
export class CgroupCounter {
  readonly node: CgroupNode;
  #lastNs: number;

  /** @param isFromStart whether everything counted so far counts, or only growth after the first reading */
  constructor(node: CgroupNode, isFromStart: boolean) {
    this.node = node;
    this.#lastNs = isFromStart ? 0 : NaN;
  }

  /** @param seconds CPU time since the counter's start; not finite: no reading */
  read(seconds: number): void {
    const usedNs = Math.round(seconds * 1e9);
    if (!Number.isFinite(usedNs)) return;
    const lastNs = Number.isNaN(this.#lastNs) ? usedNs : this.#lastNs;
    this.node.grow(Math.max(0, usedNs - lastNs));
    this.#lastNs = Math.max(lastNs, usedNs);
  }
}
