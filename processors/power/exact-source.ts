import type { Series } from '../../src/model/series.js';

/** An energy counter that is computed at each of its readings, and the power that is derived from it. Times are nanoseconds. */
export class ExactSource {
  /** The gauge. */
  readonly series: Series;
  /** Number of the window in which its power was last asked for, or its count began; NaN: neither is known. */
  window: number;
  /** When it was last in a table, or its count began. */
  seenAt: number;
  #anchorAt: number;
  #anchorJ: number;

  /** @param startedAt since when it counts from 0; NaN: since a time when nobody looked */
  constructor(series: Series, startedAt: number, windowNs: number) {
    this.series = series;
    this.window = Math.floor(startedAt / windowNs);
    this.seenAt = startedAt;
    this.#anchorAt = startedAt;
    this.#anchorJ = Number.isNaN(startedAt) ? NaN : 0;
  }

  /**
   * Watts: the mean since the last reading that this was called with.
   * @param joules of the counter at this instant; NaN: no reading
   * @returns NaN where there is no reading, or none to compare it with
   */
  read(at: number, joules: number): number {
    if (Number.isNaN(joules) || at <= this.#anchorAt) return NaN;
    const watts = ((joules - this.#anchorJ) / (at - this.#anchorAt)) * 1e9;
    this.#anchorAt = at;
    this.#anchorJ = joules;
    // A counter that falls is another one that nobody told of.
    return watts >= 0 ? watts : NaN;
  }
}
