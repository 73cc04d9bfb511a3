/** A single window of fewer ticks is too coarse: a busy process seems idle in one and twice as busy in the next. */
const leastTicks = 25;

/**
 * By how much the CPU time of a process may lag behind while the process runs, as the receiver of the usage says
 * (ledger.md section 2). 0 where it does not say: the usage of simulations and counters is exact.
 */
export class UsageTick {
  #ns = 0;

  /** Nanoseconds. */
  get ns(): number {
    return this.#ns;
  }

  /** The shortest window, in nanoseconds. */
  get leastWindowNs(): number {
    return leastTicks * this.#ns;
  }

  /** @param seconds NaN: it does not say now */
  read(seconds: number): void {
    if (seconds >= 0) this.#ns = seconds * 1e9;
  }
}
