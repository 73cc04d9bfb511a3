import { RefreshBound } from './refresh-bound.js';

/**
 * What is known about the first reading. It may be in the middle of a refresh interval of a slow meter: the
 * growth up to the next change would then be that of the whole interval.
 *
 * - none: no reading yet
 * - first: one reading only
 * - repeated: the first reading came again, so the meter is slower than its readings and the first one is
 * discarded
 * - changed: the second reading differed; the third will show whether the meter is slow
 */
type Beginning = 'none' | 'first' | 'repeated' | 'changed' | 'done';

/**
 * The role of a reading for the curve of its counter.
 *
 * - knot: the counter changed, or this is its first reading
 * - still: also a knot: the counter did not change for twice the learned time between changes
 * - first knot: the counter changed, and what was read before belongs to an unknown instant
 * - late: no knot, but it shows that the first reading belongs to an unknown instant: the second is the first
 * knot
 * - nothing: no knot, or not later than the previous reading
 * - fallen: the counter was reset; this reading is not used
 */
export type Finding = 'knot' | 'still' | 'first knot' | 'late' | 'nothing' | 'fallen';

/** Weight of a new interval between two changes in the learned refresh interval. */
const learningRate = 1 / 16;
const minRepeatedShare = 1 / 32;
/** With a smaller share, a change without a repeated reading before it is that of a fast meter. */
const slowShare = 1 / 8;
/**
 * A reading of a counter: its instant, in nanoseconds, and its value. In an array, since number arguments would
 * be allocated on the heap wherever the call is not inlined.
 */
export type Reading = Float64Array;

/**
 * Finds the readings of a meter between which its counter can be treated as linear: those with a change. A
 * reading without a change is a knot only after twice the learned time between changes, so that a meter that is
 * slower than its readings does not look idle and then twice as busy. Times are nanoseconds.
 */
export class KnotFinder {
  readonly #statedNs: number | undefined;
  /** Only where it is not stated. */
  readonly #bound: RefreshBound | undefined;
  /**
   * The knot that the last reading is: its instant, and its value. A change may have happened at any time since the reading
   * before: of a meter that is slower than its readings, the knot is in the middle, so that its knots are not late on average.
   */
  readonly knot: Reading = new Float64Array(2);
  #beginning: Beginning = 'none';
  #readAt = -Infinity;
  #readNs = 0;
  #changedAt = NaN;
  #value = NaN;
  /** Learned time between two readings with a change. The meter may be faster if almost every reading has a change. */
  #changeNs = 0;
  #isRepeated = false;
  /** Whether the last reading shows that nothing was used, not that the meter is slow. */
  #isStill = false;
  /** Share of the recent changes that came after readings without a change. */
  #repeatedShare = 0;

  /**
   * @param statedNs minimum refresh interval, which cannot be learned from readings that are farther apart;
   * undefined: the spread of the readings limits it
   */
  constructor(statedNs?: number) {
    this.#statedNs = statedNs;
    this.#bound = statedNs === undefined ? new RefreshBound() : undefined;
  }

  /**
   * Learned time between two changes; 0: unknown. The refresh interval, or the time between two readings if
   * that is longer.
   */
  get changeNs(): number {
    return this.#changeNs;
  }

  /** Learned refresh interval; 0: unknown, or so short that every reading is a change. */
  get refreshNs(): number {
    return this.#repeatedShare > minRepeatedShare ? this.#changeNs : 0;
  }

  /**
   * How long before its reading a change may have happened, apart from `delayNs`: the refresh interval or its bound, or
   * the time between readings.
   */
  get lagNs(): number {
    const { refreshNs } = this;
    const statedNs = this.#statedNs ?? (refreshNs > 0 ? 0 : (this.#bound?.refreshNs ?? 0));
    return Math.min(this.#readNs, Math.max(refreshNs, statedNs));
  }

  /**
   * By how much all readings alike may be older than `lagNs`. Where the refresh interval is not stated, refreshes in step
   * with the readings do not show their age.
   */
  get delayNs(): number {
    return this.#statedNs === undefined && this.refreshNs === 0 ? this.#readNs - this.lagNs : 0;
  }

  /** Mean time between two readings; 0: there was at most one. */
  get readNs(): number {
    return this.#readNs;
  }

  /** Whether the first knot is certain. */
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
    this.knot[0] = at;
    this.knot[1] = value;
    if (!isExact && value !== this.#value && this.#isSlow())
      this.knot[0] -= Math.floor(this.#maxAgeNs(reading) / 2);
    const finding = this.#classify(reading, isExact);
    // The first interval is infinite.
    if (this.#value >= 0)
      this.#readNs += (at - this.#readAt - this.#readNs) * (this.#readNs > 0 ? learningRate : 1);
    this.#bound?.read(reading);
    this.#readAt = at;
    this.#value = value;
    return finding;
  }

  /** No reading will follow: decides with what is known. */
  finish(): void {
    if (this.#beginning === 'changed') this.#beginning = 'done';
  }

  /** Whether the meter is known to be slower than its readings. */
  #isSlow(): boolean {
    return this.#repeatedShare >= slowShare || (this.#readAt > this.#changedAt && !this.#isStill);
  }

  /** How long before a reading of a slow meter the change may have happened that it shows. */
  #maxAgeNs(reading: Reading): number {
    const knownNs = Math.max(this.refreshNs, this.#statedNs ?? 0);
    return Math.min(reading[0] - this.#readAt, knownNs > 0 ? knownNs : Infinity);
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
    this.#isStill = false;
    if (before !== 'repeated') return 'knot';
    this.#isRepeated = false;
    return 'first knot';
  }

  #repeat(reading: Reading): Finding {
    this.#isRepeated = true;
    if (this.#beginning === 'first') this.#beginning = 'repeated';
    if (this.#beginning === 'changed') {
      this.#beginning = 'done';
      return 'late';
    }
    this.#isStill = this.#changeNs > 0 && reading[0] - this.#changedAt >= 2 * this.#changeNs;
    return this.#isStill ? 'still' : 'nothing';
  }

  #learn(reading: Reading): void {
    const intervalNs = reading[0] - this.#changedAt;
    const known = this.#changeNs;
    // A domain that used nothing for an hour does not have a slow meter.
    const next = Math.min(intervalNs, 4 * known);
    this.#changeNs = known === 0 ? intervalNs : known + (next - known) * learningRate;
    this.#repeatedShare += (Number(this.#isRepeated) - this.#repeatedShare) * learningRate;
    this.#isRepeated = false;
  }
}
