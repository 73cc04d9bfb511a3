import type { CpuCount } from './cpu-count.js';
import { median } from './median.js';

/** A stretch of time that may have been quiet. */
export interface Stretch {
  readonly durationNs: number;
  readonly energyNj: number;
  readonly busyNs: number;
}

const quietUse = 0.02;
const shortestNs = 1e9;
const shortestRefreshes = 100;
const wanted = 60;
const kept = 600;

/**
 * Learns the floor of a domain in quiet (ledger.md section 3): the median power of windows of at least 1 s and 100
 * refreshes in which the machine was used by at most 2 %, once there are 60. Never from a busy machine.
 */
export class FloorLearner {
  readonly #cpuCount: CpuCount;
  #quietWatts: number[];
  #durationNs = 0;
  #energyNj = 0;
  #busyNs = 0;
  #watts: number | undefined;

  /** @param quietWatts what was learned before */
  constructor(cpuCount: CpuCount, quietWatts: readonly number[] = []) {
    this.#cpuCount = cpuCount;
    this.#quietWatts = [...quietWatts];
    this.#decide();
  }

  /** Undefined: not enough quiet so far. */
  get watts(): number | undefined {
    return this.#watts;
  }

  /** The power of each quiet window, the newest last. */
  get quietWatts(): readonly number[] {
    return this.#quietWatts;
  }

  /** Takes a stretch that follows the one before. */
  observe({ durationNs, energyNj, busyNs }: Stretch, refreshNs: number): void {
    this.#durationNs += durationNs;
    this.#energyNj += energyNj;
    this.#busyNs += busyNs;
    if (this.#durationNs < Math.max(shortestNs, shortestRefreshes * refreshNs)) return;
    if (this.#busyNs <= quietUse * this.#cpuCount.value * this.#durationNs) this.#learn();
    this.interrupt();
  }

  /** The next stretch does not follow the one before. */
  interrupt(): void {
    this.#durationNs = 0;
    this.#energyNj = 0;
    this.#busyNs = 0;
  }

  #learn(): void {
    this.#quietWatts.push(this.#energyNj / this.#durationNs);
    if (this.#quietWatts.length > kept) this.#quietWatts = this.#quietWatts.slice(-kept);
    this.#decide();
  }

  #decide(): void {
    if (this.#quietWatts.length >= wanted) this.#watts = median(this.#quietWatts);
  }
}
