import { createGap, type Usage, type Workload } from './workload.js';

/**
 * What workloads use of one GPU, from row to row of its `hw.gpu.time`. The driver's samples are whole percents over the
 * window that such a row closes, so that nothing is interpolated. Nanoseconds throughout.
 */
export class GpuUsage {
  /** How many GPU time counters are live: of processes that hold contexts on it, whether they use them or not. */
  clients = 0;
  /** Whether it has a live `hw.gpu.time`. */
  isScanned = false;
  readonly #grownNs = new Map<Workload, number>();
  #lastNs = NaN;
  #boundary = NaN;

  /** Its `hw.gpu.time` has no further row. */
  endScans(): void {
    this.isScanned = false;
    this.#boundary = NaN;
    this.#grownNs.clear();
  }

  /** A workload used more of it since the last row. */
  grow(workload: Workload, grownNs: number): void {
    if (grownNs > 0) this.#grownNs.set(workload, (this.#grownNs.get(workload) ?? 0) + grownNs);
  }

  /**
   * The usage up to a row.
   * @param seconds GPU time of all processes since the counter's start; NaN: no reading
   * @returns undefined where the row is no later than the one before, or none
   */
  cut(to: number, seconds: number): Usage | undefined {
    if (Number.isNaN(seconds) || to <= this.#boundary) return undefined;
    const from = this.#boundary;
    const usedNs = Math.round(seconds * 1e9);
    const busyNs = Math.max(0, usedNs - this.#lastNs);
    this.#boundary = to;
    this.#lastNs = usedNs;
    const entries = [...this.#grownNs].toSorted(([a], [b]) => (a.key < b.key ? -1 : 1));
    this.#grownNs.clear();
    if (Number.isNaN(from)) return createGap(to);
    return {
      firstTo: to,
      to,
      busyNs,
      isGap: false,
      isQuiet: this.clients === 0 && busyNs === 0,
      workloads: entries.map(([workload]) => workload),
      cpuNs: entries.map(([, grownNs]) => grownNs),
      lifeNs: entries.map(([workload]) => workload.countLifeNs(from, to)),
    };
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

  /** It has no further reading. */
  close(): void {
    this.usage.clients -= 1;
  }
}
