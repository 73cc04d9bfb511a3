import { elementAt } from '../element.js';
import { share } from '../energy/share.js';
import { UsageCurve } from '../energy/usage-curve.js';
import type { Resource } from '../model/series.js';

/** How far readings of a cgroup and of its processes may lie apart. Nanoseconds of CPU time. */
export interface Margins {
  /** What all CPUs together can use in a nanosecond. */
  readonly cpuCount: number;
  /** What rounding and the tick of the usage explain. */
  readonly usageNs: number;
  /** What the rounding of the machine's busy time explains. */
  readonly busyNs: number;
}

/**
 * A cgroup with all below it: what its counters say that it used, what its processes say, and so what no process
 * explains. Where it has no counters, it is the sum of those below it. Times and CPU time are nanoseconds.
 */
export class CgroupNode {
  readonly path: string;
  readonly parent: CgroupNode | undefined;
  /** In the order of their paths. */
  readonly children: CgroupNode[] = [];
  /** Its CPU time on each package with all below it, by number, where that is known. */
  readonly packages = new Map<number, UsageCurve>();
  /** How many workloads are in it, without those below. */
  members = 0;
  /** Since when it is known to live. */
  bornAt = NaN;
  /** Its live counters. */
  counters = 0;
  /** The attributes of its counters. */
  resource: Resource | undefined;
  /** Whether its processes have ever left something unexplained, which is a workload since then. */
  hasRemainder = false;
  /** What that asks for in this window, without the cgroups below, and what it gets. */
  askedNs = 0;
  grantedNs = 0;
  #curve: UsageCurve | undefined;
  #cutAt = NaN;
  #readAt = NaN;
  #grownNs = 0;
  /** Whether it has a reading in the row that is being read, and whether it has had one since the boundary before. */
  #isInRow = false;
  #isRead = false;
  /** Whether its counters, or some below where it has none, were read since the boundary before. */
  #isFresh = false;
  /** What its own processes used since the boundary before. */
  #ownNs = 0;
  /** What all its processes used since its counters were last compared with them. */
  #explainedNs = 0;
  /** What its processes used beyond its counters; negative: what its counters have beyond its processes. */
  #owedNs = 0;
  /** Sums over the cgroups directly below. */
  #belowNs = 0;
  #belowBeyondNs = 0;
  #belowMarginNs = 0;
  #isBelowFresh = false;
  /** What it and those below may ask for, then what they ask for and what they get. */
  #allowedNs = 0;
  #allAskedNs = 0;
  #allGrantedNs = 0;

  constructor(path: string, parent: CgroupNode | undefined) {
    this.path = path;
    this.parent = parent;
    if (parent) insert(parent.children, this);
  }

  get hasCounter(): boolean {
    return this.#curve !== undefined;
  }

  /** Nothing is known of it any more. */
  get isEmpty(): boolean {
    return this.members === 0 && this.counters === 0 && this.children.length === 0 && !this.hasCounter;
  }

  /** It has a counter, the first one since this instant. */
  open(startedAt: number): void {
    this.counters += 1;
    if (this.#curve) return;
    this.bornAt = startedAt;
    this.#curve = new UsageCurve(startedAt);
    this.#cutAt = startedAt;
    this.#readAt = startedAt;
    this.#explainedNs = 0;
    this.#owedNs = 0;
  }

  /** Its counters have ended, and their last readings were compared. */
  close(): void {
    this.#curve = undefined;
    this.packages.clear();
    this.#isRead = false;
  }

  /** One of its counters has a reading in the row that is being read. */
  grow(grownNs: number): void {
    this.#isInRow = true;
    this.#grownNs += grownNs;
  }

  /** All its counters of the row at this instant have been read. @returns whether there were any */
  finishRow(at: number): boolean {
    if (!this.#isInRow) return false;
    this.#isInRow = false;
    this.#isRead = true;
    this.#curve?.read(at, this.#grownNs);
    this.#grownNs = 0;
    this.#readAt = Math.max(this.#readAt, at);
    return true;
  }

  /** One of its processes used this. */
  use(cpuNs: number): void {
    this.#ownNs += cpuNs;
  }

  /** Up to this boundary it is not known what was used. */
  skip(to: number): void {
    this.#curve?.cut(this.#cutAt, to);
    this.#cutAt = to;
    this.#isRead = false;
    this.#ownNs = 0;
    this.#explainedNs = 0;
    this.#owedNs = 0;
  }

  /** Compares its counters with its processes, after all cgroups below it. */
  compare(to: number, margins: Margins): void {
    const usedNs = this.#ownNs + this.#belowNs;
    const beyondNs = this.#curve ? this.#compareCounter(usedNs, to) : this.#belowBeyondNs + this.#unknownNs();
    const marginNs = this.#curve ? this.#marginNs(to, margins) : this.#belowMarginNs;
    this.#isFresh = this.#curve ? this.#isRead : this.#isBelowFresh;
    // What processes used before a reading of their cgroup has it is owed; more than that was used elsewhere.
    if (this.#isFresh) this.#owedNs = Math.min(this.#owedNs + beyondNs, marginNs);
    this.#allowedNs = this.#isFresh ? Math.max(0, -this.#owedNs) : 0;
    this.#isRead = false;
    this.#ownNs = 0;
    if (this.parent) {
      this.parent.#belowNs += usedNs;
      if (this.#isFresh) this.parent.#addBelow(beyondNs, marginNs);
    }
    this.#belowNs = 0;
    this.#belowBeyondNs = 0;
    this.#belowMarginNs = 0;
    this.#isBelowFresh = false;
  }

  /**
   * Divides what it may ask for among itself and those below, after its parent: never more than its own counters have
   * beyond all its processes, whatever those below have.
   * @param shares for the computation
   */
  divide(shares: number[]): void {
    const { children } = this;
    const wantedNs = children.reduce((sumNs, child) => sumNs + child.#allowedNs, 0);
    const allowedNs = this.#curve && !this.#isFresh ? wantedNs : this.#allowedNs;
    this.askedNs = this.#curve && this.#isFresh ? Math.max(0, allowedNs - wantedNs) : 0;
    this.grantedNs = 0;
    this.#allAskedNs = 0;
    this.#allGrantedNs = 0;
    if (wantedNs <= allowedNs) return;
    const wanted = children.map((child) => child.#allowedNs);
    share(allowedNs, wanted, wantedNs, shares);
    for (const [i, child] of children.entries()) child.#allowedNs = elementAt(shares, i);
  }

  /** Books what it and those below got, after all below it. */
  settle({ busyNs }: Margins): void {
    this.#allAskedNs += this.askedNs;
    this.#allGrantedNs += this.grantedNs;
    // What the busy time of this window has no room for may find it in the next one, as far as its rounding explains.
    if (!this.#isFresh) this.#owedNs += this.#allGrantedNs;
    else if (this.#owedNs < 0) this.#owedNs = Math.max(-busyNs, this.#allGrantedNs - this.#allAskedNs);
    if (!this.parent) return;
    this.parent.#allAskedNs += this.#allAskedNs;
    this.parent.#allGrantedNs += this.#allGrantedNs;
  }

  /** @returns by how much what processes used is beyond what was read since the last comparison */
  #compareCounter(usedNs: number, to: number): number {
    this.#explainedNs += usedNs;
    if (!this.#isRead || !this.#curve) return 0;
    const readNs = this.#curve.cut(this.#cutAt, to);
    this.#cutAt = Math.min(to, this.#readAt);
    const beyondNs = this.#explainedNs - readNs;
    this.#explainedNs = 0;
    return beyondNs;
  }

  #addBelow(beyondNs: number, marginNs: number): void {
    this.#belowBeyondNs += beyondNs;
    this.#belowMarginNs = Math.max(this.#belowMarginNs, marginNs);
    this.#isBelowFresh = true;
  }

  /** Processes of which it is not known in which cgroup they are may be in any. */
  #unknownNs(): number {
    return this.parent ? 0 : this.#ownNs;
  }

  #marginNs(to: number, { cpuCount, usageNs }: Margins): number {
    return Math.round(cpuCount * Math.abs(to - this.#readAt)) + usageNs;
  }
}

/** By halves: a thousand containers may come at once. */
function insert(children: CgroupNode[], child: CgroupNode): void {
  let [from, to] = [0, children.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (elementAt(children, middle).path > child.path) to = middle;
    else from = middle + 1;
  }
  children.splice(from, 0, child);
}
