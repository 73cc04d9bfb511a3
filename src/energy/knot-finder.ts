/**
 * How much is known about the first reading. It may lie in the middle of a refresh interval of a slow meter: the
 * growth up to the next change would then be that of the whole interval.
 *
 * - none: no reading yet
 * - first: one reading only
 * - repeated: the first reading came again, so the meter is slower than its readings and the first one goes
 * - changed: the second reading differed; the third will show whether the meter is slow
 */
type Beginning = 'none' | 'first' | 'repeated' | 'changed' | 'done';

/**
 * What a reading is to the curve of its counter.
 *
 * - knot: the counter changed, or this is its first reading
 * - still: a knot, too: the counter did not change for twice the time that it takes from one change to the next
 * - first knot: the counter changed, and what was read before belongs to an unknown instant
 * - late: no knot, but it shows that the first reading belongs to an unknown instant: the second is the first knot
 * - nothing: no knot, or not later than the reading before
 * - fallen: it is another counter now; this reading is not taken
 */
export type Finding = 'knot' | 'still' | 'first knot' | 'late' | 'nothing' | 'fallen';

/** How much a new interval between two changes counts in the learned refresh interval. */
const learningRate = 1 / 16;
const minRepeatedShare = 1 / 32;
/** No meter that we know is refreshed more often than RAPL: what changes at every reading may be. */
export const leastRefreshNs = 1e6;

/**
 * A reading of a counter: its instant, in nanoseconds, and its value. In an array, since as arguments each of them would
 * be an object on the heap wherever the compiler leaves a call a call.
 */
export type Reading = Float64Array;

/**
 * Finds the readings of a meter between which its counter may be taken for linear: those at which it changed. One at
 * which it did not is a knot only after twice the learned time between changes, so that a meter that is slower than
 * its readings is not taken for idle and then for twice as busy. Times are nanoseconds.
 */
export class KnotFinder {
  readonly #statedNs: number;
  #beginning: Beginning = 'none';
  #readAt = -Infinity;
  #readNs = 0;
  #changedAt = NaN;
  #value = NaN;
  /** Learned time between two readings with a change. The meter may be faster, where hardly any is without. */
  #changeNs = 0;
  #isRepeated = false;
  /** How many of the last changes came after readings without one. */
  #repeatedShare = 0;

  /** @param statedNs the refresh interval at least, which readings do not show that are farther apart than that */
  constructor(statedNs = leastRefreshNs) {
    this.#statedNs = statedNs;
  }

  /**
   * Learned time between two changes; 0: not known. The refresh interval, or the time between two readings where that
   * is longer.
   */
  get changeNs(): number {
    return this.#changeNs;
  }

  /** Learned refresh interval; 0: not known, or so short that every reading is a change. */
  get refreshNs(): number {
    return this.#repeatedShare > minRepeatedShare ? this.#changeNs : 0;
  }

  /** How long before its reading a change may have happened: as long as a refresh takes, or from reading to reading. */
  get lagNs(): number {
    return Math.min(this.#readNs, Math.max(this.refreshNs, this.#statedNs));
  }

  /** Mean time between two readings; 0: there was one at most. */
  get readNs(): number {
    return this.#readNs;
  }

  /** Whether it is certain which reading is the first knot. */
  get isBegun(): boolean {
    return this.#beginning === 'done';
  }

  /** Time of the last reading. */
  get readAt(): number {
    return this.#readAt;
  }

  /** Time of the last reading with a change. */
  get changedAt(): number {
    return this.#changedAt;
  }

  /** The last reading. */
  get value(): number {
    return this.#value;
  }

  /**
   * Takes a reading.
   * @param isExact the counter is computed at each reading, not refreshed periodically
   */
  read(reading: Reading, isExact = false): Finding {
    const at = reading[0];
    const value = reading[1];
    if (at <= this.#readAt) return 'nothing';
    if (value < this.#value) return 'fallen';
    const finding = this.#classify(reading, isExact);
    // The first interval is infinite.
    if (this.#value >= 0)
      this.#readNs += (at - this.#readAt - this.#readNs) * (this.#readNs > 0 ? learningRate : 1);
    this.#readAt = at;
    this.#value = value;
    return finding;
  }

  /** No reading will follow: what is known has to suffice. */
  finish(): void {
    if (this.#beginning === 'changed') this.#beginning = 'done';
  }

  #classify(reading: Reading, isExact: boolean): Finding {
    if (reading[1] > this.#value) return this.#change(reading);
    if (this.#beginning !== 'none') return this.#repeat(reading);
    this.#changedAt = reading[0];
    this.#beginning = isExact ? 'done' : 'first';
    return 'knot';
  }

  #change(reading: Reading): Finding {
    const before = this.#beginning;
    if (before === 'changed' || before === 'done') this.#learn(reading);
    this.#beginning = before === 'first' ? 'changed' : 'done';
    this.#changedAt = reading[0];
    return before === 'repeated' ? 'first knot' : 'knot';
  }

  #repeat(reading: Reading): Finding {
    this.#isRepeated = true;
    if (this.#beginning === 'first') this.#beginning = 'repeated';
    if (this.#beginning === 'changed') {
      this.#beginning = 'done';
      return 'late';
    }
    return this.#changeNs > 0 && reading[0] - this.#changedAt >= 2 * this.#changeNs ? 'still' : 'nothing';
  }

  #learn(reading: Reading): void {
    const intervalNs = reading[0] - this.#changedAt;
    const known = this.#changeNs;
    // A domain that used nothing for an hour has not become slow.
    const next = Math.min(intervalNs, 4 * known);
    this.#changeNs = known === 0 ? intervalNs : known + (next - known) * learningRate;
    this.#repeatedShare += (Number(this.#isRepeated) - this.#repeatedShare) * learningRate;
    this.#isRepeated = false;
  }
}
