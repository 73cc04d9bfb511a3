import { elementAt } from '../element.js';
import { share } from '../energy/share.js';
import { UsageCurve } from '../energy/usage-curve.js';
import type { Resource } from '../model/series.js';

/** Maximum differences between readings of a cgroup and of its processes. Nanoseconds of CPU time. */
export interface Margins {
  /** CPU time that all CPUs together can use per nanosecond. */
  readonly cpuCount: number;
  /** Difference explained by rounding and by the tick of the usage. */
  readonly usageNs: number;
  /** Difference explained by the rounding of the machine's busy time. */
  readonly busyNs: number;
}

/**
 * A cgroup with its descendants: its usage according to its counters, the usage of its processes, and the
 * remainder that no process explains. Without counters, it is the sum of its children. Times and CPU time are
 * nanoseconds.
 */
export class CgroupNode {
  readonly path: string;
  readonly parent: CgroupNode | undefined;
  /** Sorted by path. */
  readonly children: CgroupNode[] = [];
  /** Its CPU time on each package, descendants included, by package number, where that is known. */
  readonly packages = new Map<number, UsageCurve>();
  /** Number of workloads in it, without descendants. */
  members = 0;
  /** The first instant at which it is known to exist. */
  bornAt = NaN;
  /** Number of its live counters. */
  counters = 0;
  /** The attributes of its counters. */
  resource: Resource | undefined;
  /** Whether its processes have ever left a remainder, which is a workload from then on. */
  hasRemainder = false;
  /** The CPU time that its remainder requests in this window, without descendants, and what it is granted. */
  askedNs = 0;
  grantedNs = 0;
  #curve: UsageCurve | undefined;
  #cutAt = NaN;
  #readAt = NaN;
  #grownNs = 0;
  /** Whether it has a reading in the current row, and whether it has had one since the previous boundary. */
  #isInRow = false;
  #isRead = false;
  /** Whether its counters, or without counters some of its descendants', were read since the previous boundary. */
  #isFresh = false;
  /** What its processes, without descendants, used since the previous boundary. */
  #ownNs = 0;
  /** What all its processes used since its counters were last compared with them. */
  #explainedNs = 0;
  /** What its processes used beyond its counters; negative: what its counters show beyond its processes. */
  #owedNs = 0;
  /** Sums over its children. */
  #belowNs = 0;
  #belowBeyondNs = 0;
  #belowMarginNs = 0;
  #isBelowFresh = false;
  /** Upper limit of what it and its descendants may request, then what they are granted. */
  #allowedNs = 0;
  #allGrantedNs = 0;

  constructor(path: string, parent: CgroupNode | undefined) {
    this.path = path;
    this.parent = parent;
    if (parent) insert(parent.children, this);
  }

  get hasCounter(): boolean {
    return this.#curve !== undefined;
  }

  /** Whether it can be forgotten. */
  get isEmpty(): boolean {
    return this.members === 0 && this.counters === 0 && this.children.length === 0 && !this.hasCounter;
  }

  /** Adds a counter; the first one sets since when it exists. */
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

  /** One of its counters has a reading in the current row. */
  grow(grownNs: number): void {
    this.#isInRow = true;
    this.#grownNs += grownNs;
  }

  /** All its counters in the row at this instant have been read. @returns whether there were any */
  finishRow(at: number): boolean {
    if (!this.#isInRow) return false;
    this.#isInRow = false;
    this.#isRead = true;
    this.#curve?.read(at, this.#grownNs);
    this.#grownNs = 0;
    this.#readAt = Math.max(this.#readAt, at);
    return true;
  }

  /** One of its processes used CPU time. */
  use(cpuNs: number): void {
    this.#ownNs += cpuNs;
  }

  /** The usage up to this boundary is not known. */
  skip(to: number): void {
    this.#curve?.cut(this.#cutAt, to);
    this.#cutAt = to;
    this.#isRead = false;
    this.#ownNs = 0;
    this.#explainedNs = 0;
    this.#owedNs = 0;
  }

  /** Compares its counters with its processes, after all its descendants. */
  compare(to: number, margins: Margins): void {
    const usedNs = this.#ownNs + this.#belowNs;
    const beyondNs = this.#curve ? this.#compareCounter(usedNs, to) : this.#belowBeyondNs + this.#unknownNs();
    const marginNs = this.#curve ? this.#marginNs(to, margins) : this.#belowMarginNs;
    this.#isFresh = this.#curve ? this.#isRead : this.#isBelowFresh;
    // What processes used before their cgroup's reading shows it is carried over; anything more was used
    // elsewhere.
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
   * Divides what it may request among its remainder and its children, after its parent: never more than its own
   * counters show beyond all its processes, whatever its children request.
   * @param shares scratch array
   */
  divide(shares: number[]): void {
    const { children } = this;
    const wantedNs = children.reduce((sumNs, child) => sumNs + child.#allowedNs, 0);
    const allowedNs = this.#curve && !this.#isFresh ? wantedNs : this.#allowedNs;
    this.askedNs = this.#curve && this.#isFresh ? Math.max(0, allowedNs - wantedNs) : 0;
    this.grantedNs = 0;
    this.#allGrantedNs = 0;
    if (wantedNs <= allowedNs) return;
    const wanted = children.map((child) => child.#allowedNs);
    share(allowedNs, wanted, wantedNs, shares);
    for (const [i, child] of children.entries()) child.#allowedNs = elementAt(shares, i);
  }

  /** Books what it and its descendants were granted, after all its descendants. */
  settle({ busyNs }: Margins): void {
    this.#allGrantedNs += this.grantedNs;
    // What exceeds the busy time of this window may fit into the next one, as far as rounding explains it. So may what
    // exceeds the counters of its parent: they were read before, and its parent's remainder got the same time before.
    if (!this.#isFresh) this.#owedNs += this.#allGrantedNs;
    else if (this.#owedNs < 0) this.#owedNs = Math.max(-busyNs, this.#owedNs + this.#allGrantedNs);
    if (this.parent) this.parent.#allGrantedNs += this.#allGrantedNs;
  }

  /** @returns how much the usage of processes exceeds the readings since the last comparison */
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

  /** Processes in an unknown cgroup may be in any. */
  #unknownNs(): number {
    return this.parent ? 0 : this.#ownNs;
  }

  #marginNs(to: number, { cpuCount, usageNs }: Margins): number {
    return Math.round(cpuCount * Math.abs(to - this.#readAt)) + usageNs;
  }
}

/** Binary search: a thousand containers may appear at once. */
function insert(children: CgroupNode[], child: CgroupNode): void {
  let [from, to] = [0, children.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (elementAt(children, middle).path > child.path) to = middle;
    else from = middle + 1;
  }
  children.splice(from, 0, child);
}
