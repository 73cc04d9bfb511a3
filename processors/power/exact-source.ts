import type { Series } from '../../src/model/series.js';

/**
 * The windows that counters of one metric and one kind of hardware have in common. The power of a counter that began
 * within a window is its mean over the whole window, so that the powers of the parts add up to that of the whole.
 * Times are nanoseconds.
 */
export class CommonWindows {
  #from = NaN;
  #to = NaN;

  /** Where the window begins that ended last; before the first one ended, where the first counter begins. */
  get from(): number {
    return this.#from;
  }

  /** @param startedAt since when a counter counts from 0; NaN: not known */
  join(startedAt: number): void {
    if (Number.isNaN(this.#to) && !(startedAt >= this.#from)) this.#from = startedAt;
  }

  /** A window ends, for all counters that have a reading at this instant. */
  end(at: number): void {
    if (at <= this.#to) return;
    if (!Number.isNaN(this.#to)) this.#from = this.#to;
    this.#to = at;
  }
}

/** An energy counter that is computed at each of its readings, and the power that is derived from it. Times are nanoseconds. */
export class ExactSource {
  /** The gauge. */
  readonly series: Series;
  /** Number of the window in which its power was last asked for, or its count began; NaN: neither is known. */
  window: number;
  /** When it was last in a table, or its count began. */
  seenAt: number;
  readonly #windows: CommonWindows;
  #isNew: boolean;
  #anchorAt: number;
  #anchorJ: number;

  /**
   * @param startedAt since when it counts from 0; NaN: since a time before the collector's
   * @param windowNs the length of a window
   */
  constructor(series: Series, startedAt: number, windowNs: number, windows: CommonWindows) {
    this.series = series;
    this.window = Math.floor(startedAt / windowNs);
    this.seenAt = startedAt;
    this.#windows = windows;
    this.#isNew = !Number.isNaN(startedAt);
    this.#anchorAt = startedAt;
    this.#anchorJ = this.#isNew ? 0 : NaN;
    windows.join(startedAt);
  }

  /**
   * Watts: the mean since the last reading that this was called with, or over the window in which the count began.
   * @param joules of the counter at this instant; NaN: no reading
   * @returns NaN where there is no reading, or none to compare it with
   */
  read(at: number, joules: number): number {
    this.#windows.end(at);
    if (Number.isNaN(joules) || at <= this.#anchorAt) return NaN;
    if (this.#isNew && this.#windows.from < this.#anchorAt) this.#anchorAt = this.#windows.from;
    this.#isNew = false;
    const watts = ((joules - this.#anchorJ) / (at - this.#anchorAt)) * 1e9;
    this.#anchorAt = at;
    this.#anchorJ = joules;
    // A counter that falls is another one, although the last one was not ended.
    return watts >= 0 ? watts : NaN;
  }
}
