import { findOrAdd } from '../model/plan.js';
import { createGap, type InstanceUse, type Usage } from './usage.js';
import { compareWorkloads, type Workload } from './workload.js';

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

  /** Its `hw.gpu.time` has no further rows. */
  endScans(): void {
    this.isScanned = false;
    this.#boundary = NaN;
    this.#grownNs.clear();
    this.#instances.clear();
  }

  /** Adds GPU time that a workload used since the last row. */
  grow(workload: Workload, grownNs: number): void {
    if (grownNs > 0) this.#grownNs.set(workload, (this.#grownNs.get(workload) ?? 0) + grownNs);
  }

  /** The GPU time of one of its MIG instances, in a row before the GPU's own. @param seconds NaN: no reading */
  readInstance(id: string, seconds: number): void {
    if (Number.isNaN(seconds)) return;
    const usedNs = Math.round(seconds * 1e9);
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
   * @param seconds GPU time of all processes since the counter's start; NaN: no reading
   * @returns undefined where the row is not later than the previous one, or has no reading; a gap for the first row
   */
  cut(to: number, seconds: number): Usage | undefined {
    if (Number.isNaN(seconds) || to <= this.#boundary) return undefined;
    const from = this.#boundary;
    const usedNs = Math.round(seconds * 1e9);
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

  /** @param seconds GPU time since the counter's start; NaN: no reading */
  read(seconds: number): void {
    if (Number.isNaN(seconds)) return;
    const usedNs = Math.round(seconds * 1e9);
    this.usage.grow(this.workload, usedNs - this.#lastNs);
    this.#lastNs = Math.max(this.#lastNs, usedNs);
  }

  /** It has no further readings. */
  close(): void {
    this.usage.clients -= 1;
  }
}
