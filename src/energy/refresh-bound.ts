/** No known meter is refreshed more often than RAPL; a counter that changes at every reading may be as fast. */
export const leastRefreshNs = 1e6;

/** Number of readings of a run, so that refreshes that fall between two of them once in some windows are seen. */
const runLength = 64;
/** Runs whose readings are farther apart or closer by more than this part show other refreshes. */
const maxChange = 0.1;

/**
 * The maximum refresh interval of a counter that changes at every reading. While power is constant, the counter grows
 * in proportion to the time between two readings, except that it contains one refresh more or less. So the spread of
 * its growth, divided by power, is the refresh interval, plus what power changed: the smallest spread of all runs of
 * readings is a bound. It limits by how much the age of two readings differs, not the age itself: a counter with a
 * constant number of refreshes between two readings has no spread, however long before each reading it was refreshed.
 */
export class RefreshBound {
  readonly #times = new Float64Array(runLength);
  readonly #growths = new Float64Array(runLength);
  #count = 0;
  readonly #last = Float64Array.of(NaN, NaN);
  #readNs = NaN;
  #spreadNs = Infinity;

  /** Upper bound in nanoseconds; Infinity: nothing is known yet. */
  get refreshNs(): number {
    return this.#spreadNs;
  }

  /**
   * Receives a reading; instants are ascending, and values do not decrease.
   * @param reading nanoseconds and the counter's value, in an array to avoid allocation
   */
  read(reading: Float64Array): void {
    const last = this.#last;
    if (reading[0] > last[0]) {
      this.#times[this.#count] = reading[0] - last[0];
      this.#growths[this.#count] = reading[1] - last[1];
      this.#count += 1;
      if (this.#count === runLength) this.#finishRun();
    }
    last[0] = reading[0];
    last[1] = reading[1];
  }

  #finishRun(): void {
    this.#count = 0;
    // A callback would be passed each number as an object on the heap.
    let [runNs, growth] = [0, 0];
    for (let i = 0; i < runLength; i++) {
      runNs += this.#times[i];
      growth += this.#growths[i];
    }
    const readNs = runNs / runLength;
    const isSame = Math.abs(readNs - this.#readNs) <= maxChange * this.#readNs;
    const spreadNs = Math.max(leastRefreshNs, this.#findSpread(runNs / growth));
    this.#spreadNs = isSame ? Math.min(this.#spreadNs, spreadNs) : spreadNs;
    this.#readNs = readNs;
  }

  /** @param nsPerUnit time in which the counter grows by 1 */
  #findSpread(nsPerUnit: number): number {
    let [least, greatest] = [Infinity, -Infinity];
    for (let i = 0; i < runLength; i++) {
      const lateNs = this.#times[i] - this.#growths[i] * nsPerUnit;
      if (lateNs < least) least = lateNs;
      if (lateNs > greatest) greatest = lateNs;
    }
    return greatest - least;
  }
}
