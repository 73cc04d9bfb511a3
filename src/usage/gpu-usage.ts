import { findOrAdd } from '../model/plan.js';
import type { Series } from '../model/series.js';
import { createGap, type InstanceUse, type Usage } from './usage.js';
import { compareWorkloads, type Workload } from './workload.js';
import type { Workloads } from './workloads.js';

/** The GPU time of a MIG instance since the last row of its GPU. */
interface InstanceTime {
  lastNs: number;
  grownNs: number;
  isLive: boolean;
}

/**
 * Usage of one GPU by workloads, from row to row of its `hw.gpu.time`. The driver's samples are whole
 * percentages over the window that such a row ends, so that nothing is interpolated. Times are nanoseconds.
 */
export class GpuUsage {
  /** Number of live GPU time counters: of processes that hold contexts on it, whether they use them or not. */
  clients = 0;
  /** Whether it has a live `hw.gpu.time`. */
  isScanned = false;
  readonly #grownNs = new Map<Workload, number>();
  readonly #instances = new Map<string, InstanceTime>();
  #lastNs = NaN;
  #boundary = NaN;
  /** Number of rows of its current counter. */
  #rows = 0;
  /** The last row of its previous counter. */
  #endedAt = -Infinity;

  /** The last row; NaN: none. */
  get boundary(): number {
    return this.#boundary;
  }

  /** Whether a row would be the first of its counter and not later than the previous counter: the clock was set back. */
  isSetBackAt(to: number): boolean {
    return this.#rows === 0 && to <= this.#endedAt;
  }

  /** Its `hw.gpu.time` has no further rows. */
  endScans(): void {
    this.isScanned = false;
    if (this.#rows > 0) this.#endedAt = this.#boundary;
    this.#rows = 0;
    this.#boundary = NaN;
    this.#grownNs.clear();
    this.#instances.clear();
  }

  /** Whether a workload used GPU time since the last row. */
  hasGrown(workload: Workload): boolean {
    return this.#grownNs.has(workload);
  }

  /** Adds GPU time that a workload used since the last row. Without rows, it is of no use. */
  grow(workload: Workload, grownNs: number): void {
    if (grownNs > 0 && this.isScanned)
      this.#grownNs.set(workload, (this.#grownNs.get(workload) ?? 0) + grownNs);
  }

  /** The GPU time of one of its MIG instances, in a row before the GPU's own. @param seconds not finite: no reading */
  readInstance(id: string, seconds: number): void {
    const usedNs = Math.round(seconds * 1e9);
    if (!Number.isFinite(usedNs)) return;
    const time = findOrAdd(this.#instances, id, () => ({ lastNs: usedNs, grownNs: 0, isLive: true }));
    // A new counter, of an instance that was destroyed and created again.
    if (!time.isLive) [time.isLive, time.lastNs] = [true, 0];
    time.grownNs += Math.max(0, usedNs - time.lastNs);
    time.lastNs = Math.max(time.lastNs, usedNs);
  }

  /** A MIG instance has no further GPU time. */
  endInstance(id: string): void {
    const time = this.#instances.get(id);
    if (time) time.isLive = false;
  }

  /**
   * The usage up to a row.
   * @param seconds GPU time of all processes since the counter's start; not finite: no reading
   * @returns undefined where the row is not later than the previous one, or has no reading; a gap for the first row
   */
  cut(to: number, seconds: number): Usage | undefined {
    const usedNs = Math.round(seconds * 1e9);
    if (!Number.isFinite(usedNs) || to <= this.#boundary) return undefined;
    const from = this.#boundary;
    this.#rows += 1;
    const busyNs = Math.max(0, usedNs - this.#lastNs);
    this.#boundary = to;
    this.#lastNs = usedNs;
    const entries = [...this.#grownNs].toSorted(([a], [b]) => compareWorkloads(a, b));
    this.#grownNs.clear();
    const instances = this.#takeInstances();
    if (Number.isNaN(from)) return createGap(to);
    return {
      firstTo: to,
      to,
      busyNs,
      isGap: false,
      ...(instances.length > 0 && { instances }),
      isQuiet: this.clients === 0 && busyNs === 0,
      workloads: entries.map(([workload]) => workload),
      cpuNs: entries.map(([, grownNs]) => grownNs),
      lifeNs: entries.map(([workload]) => workload.countLifeNs(from, to)),
    };
  }

  #takeInstances(): readonly InstanceUse[] {
    const uses: InstanceUse[] = [];
    for (const [id, time] of this.#instances) {
      uses.push({ id, usedNs: time.grownNs });
      time.grownNs = 0;
      if (!time.isLive) this.#instances.delete(id);
    }
    return uses.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }
}

/** One GPU time counter of a workload: of one engine of one GPU. */
export class GpuTimeCounter {
  readonly workload: Workload;
  readonly usage: GpuUsage;
  #lastNs = 0;

  constructor(workload: Workload, usage: GpuUsage) {
    this.workload = workload;
    this.usage = usage;
    usage.clients += 1;
  }

  /** @param seconds GPU time since the counter's start; not finite: no reading */
  read(seconds: number): void {
    const usedNs = Math.round(seconds * 1e9);
    if (!Number.isFinite(usedNs)) return;
    this.usage.grow(this.workload, usedNs - this.#lastNs);
    this.#lastNs = Math.max(this.#lastNs, usedNs);
  }

  /** It has no further readings. */
  close(): void {
    this.usage.clients -= 1;
  }
}

/** A counter that has ended. */
interface Leaving {
  readonly counter: GpuTimeCounter;
  readonly at: number;
}

/** The GPU time counters of all workloads. */
export class GpuTimeCounters {
  readonly #workloads: Pick<Workloads, 'hold' | 'release'>;
  readonly #counters = new Map<Series, GpuTimeCounter>();
  /** Those whose last time waits for the next row of its GPU. */
  #leaving: Leaving[] = [];

  constructor(workloads: Pick<Workloads, 'hold' | 'release'>) {
    this.#workloads = workloads;
  }

  /** The receiver of a GPU time series. */
  counterOf(series: Series, usage: GpuUsage): GpuTimeCounter {
    return findOrAdd(this.#counters, series, () => new GpuTimeCounter(this.#workloads.hold(series), usage));
  }

  /** A series has no further readings. Its workload remains until its last time is in a row of the GPU. */
  end(series: Series, at: number): void {
    const counter = this.#counters.get(series);
    if (counter === undefined) return;
    this.#counters.delete(series);
    counter.close();
    this.#leaving.push({ counter, at });
    this.release();
  }

  /** A row of a GPU was read, or it will have none: releases the workloads that waited for it. */
  release(): void {
    if (this.#leaving.length === 0) return;
    const left = this.#leaving.filter(({ counter }) => !isWaiting(counter));
    this.#leaving = this.#leaving.filter(({ counter }) => isWaiting(counter));
    for (const { counter, at } of left) this.#workloads.release(counter.workload, at);
  }
}

function isWaiting({ usage, workload }: GpuTimeCounter): boolean {
  return usage.hasGrown(workload);
}
