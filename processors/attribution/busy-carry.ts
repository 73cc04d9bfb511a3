import type { CpuCount } from './cpu-count.js';

const tickNs = 1e7;

/**
 * Evens out the rounding of the machine's busy time. The kernel counts idle, iowait and steal in ticks of 10 ms, so
 * that busy time comes in lumps: without this, windows of some ticks would take the lumps for usage that nobody saw,
 * and the windows between them for none. (With windows of 20 ms, a quarter of the energy went astray.) What
 * consumers used beyond the busy time of one window is owed to the next ones, as far as rounding explains it.
 */
export class BusyCarry {
  readonly #cpuCount: CpuCount;
  #owedNs = 0;
  #overlapNs = 0;

  constructor(cpuCount: CpuCount) {
    this.#cpuCount = cpuCount;
  }

  /** What consumers used beyond busy time and rounding, of all windows together. */
  get overlapNs(): number {
    return this.#overlapNs;
  }

  /**
   * The busy time of a window, at least what the consumers used in it.
   * @param busyNs as it was read
   * @param seenNs sum over the consumers
   */
  settle(busyNs: number, seenNs: number): number {
    const beyondNs = seenNs - busyNs;
    this.#owedNs += beyondNs;
    if (beyondNs < 0) {
      const leftNs = Math.max(0, -this.#owedNs);
      this.#owedNs += leftNs;
      return seenNs + leftNs;
    }
    // Three columns of /proc/stat, each rounded at both ends, and on each CPU the tick that is running.
    const mostNs = (6 + 2 * this.#cpuCount.value) * tickNs;
    const overlapNs = Math.max(0, this.#owedNs - mostNs);
    this.#overlapNs += overlapNs;
    this.#owedNs -= overlapNs;
    return seenNs;
  }
}
