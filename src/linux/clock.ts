/** The time, for scrapers and everything else on the main thread. */
export interface Clock {
  /** Unix time in nanoseconds that never runs backwards: CLOCK_MONOTONIC plus a slewed anchor. */
  wallNs(): bigint;
  /** CLOCK_MONOTONIC in nanoseconds. */
  monotonicNs(): bigint;
  /**
   * Compares the clocks again. Call it before each scrape.
   * @returns a number that differs from the last one exactly when the wall clock was stepped by more than 50 ms
   * or the machine slept: what was read before does not connect with what is read after, so series end and
   * start again
   */
  checkEra(): number;
  /** CLOCK_BOOTTIME in nanoseconds, where that is not the kernel's own: of a machine that a test made up. */
  bootNs?(): bigint;
}
