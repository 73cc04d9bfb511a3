import type { PerfCounter } from './find-perf.js';

/** Counters of perf_event that are read together. */
export interface CounterGroup {
  readonly counters: readonly PerfCounter[];
  /** One per counter, as `EnergyReader.lives`. */
  readonly lives: readonly number[];
  /** Whether the kernel counted since the time before, when it was last asked. */
  readonly isCounting: boolean;
  /** Asks the kernel. False when it counted nothing since the last time, say because the CPU went offline. */
  fetch(): boolean;
  /**
   * Writes what was fetched, in joules since the first time.
   * @returns false when a counter began anew: it has grown by more than its domain can draw, or fallen
   */
  write(values: Float64Array, at: number): boolean;
  /** Lets a counter begin at 0 with the next reading. */
  restart(index: number): void;
  close(): void;
}
