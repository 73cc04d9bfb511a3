import type { CpuCount } from '../energy/floor-learner.js';

/** The kernel counts idle time in ticks of this length. */
const idleTickNs = 1e7;

/**
 * Smooths the rounding of the machine's busy time. The kernel counts idle, iowait and steal in ticks of 10 ms,
 * so that busy time grows in steps: without this, in windows of a few ticks the steps would appear as usage of
 * unseen processes, and the windows between them as unused. (With windows of 20 ms, a quarter of the energy was
 * misplaced.) What workloads used beyond the busy time of one window is carried over to the next ones, as far
 * as rounding explains it.
 */
export class BusyCarry {
  readonly #cpuCount: CpuCount;
  /** Columns of /proc/stat that are added up, each rounded at both ends: per CPU and in addition to that. */
  readonly #columns: { readonly perCpu: number; readonly besides: number };
  #owedNs = 0;
  #overlapNs = 0;

  /** @param sumOf which columns the kernel has rounded: those of the machine, or those of each CPU */
  constructor(cpuCount: CpuCount, sumOf: 'machine' | 'each CPU' = 'machine') {
    this.#cpuCount = cpuCount;
    this.#columns = sumOf === 'machine' ? { perCpu: 0, besides: 3 } : { perCpu: 3, besides: 0 };
  }

  /** What workloads used beyond busy time and rounding, summed over all windows. */
  get overlapNs(): number {
    return this.#overlapNs;
  }

  /**
   * The busy time of a window, at least the usage of its workloads.
   * @param busyNs as read
   * @param seenNs sum over the workloads
   */
  settle(busyNs: number, seenNs: number): number {
    const beyondNs = seenNs - busyNs;
    this.#owedNs += beyondNs;
    if (beyondNs < 0) {
      const leftNs = Math.max(0, -this.#owedNs);
      this.#owedNs += leftNs;
      return seenNs + leftNs;
    }
    const { perCpu, besides } = this.#columns;
    // Each CPU also has its current, unfinished tick.
    const maxOwedNs = 2 * (besides + (1 + perCpu) * this.#cpuCount.value) * idleTickNs;
    const overlapNs = Math.max(0, this.#owedNs - maxOwedNs);
    this.#overlapNs += overlapNs;
    this.#owedNs -= overlapNs;
    return seenNs;
  }
}
