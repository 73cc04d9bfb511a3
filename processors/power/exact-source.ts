import { seriesKey, type Series } from '../../src/model/series.js';

/** The last power of a gauge whose counter ended within a window. */
export interface LastPower {
  readonly series: Series;
  readonly at: number;
  readonly watts: number;
}

/**
 * The common windows of the counters of one kind of hardware. The power of a counter that started or ended
 * within a window is its mean over the whole window, so that the powers of the parts add up to that of the
 * whole. Times are nanoseconds.
 */
export class CommonWindows {
  #from = NaN;
  #to = NaN;
  /** Counters that have ended since, with energy that is not in any power yet, by the key of their gauges. */
  readonly #ended = new Map<string, ExactSource>();
  #last: LastPower[] = [];

  /**
   * Start of the current window, which is the end of the last one; before the first one has ended, the start of
   * the first counter.
   */
  get from(): number {
    return this.#from;
  }

  /** @param startedAt since when a counter counts from 0; NaN: not known */
  join(startedAt: number): void {
    if (Number.isNaN(startedAt) || !Number.isNaN(this.#to)) return;
    if (!(startedAt >= this.#from)) this.#from = startedAt;
  }

  /**
   * A counter has ended. Its gauge ends with a window: the previous one if the counter had no reading at its
   * end, otherwise the current one.
   */
  leave(source: ExactSource): void {
    if (source.readAt < this.#to) this.#finish(source);
    else this.#ended.set(seriesKey(source.series), source);
  }

  /** Removes and returns the counter with this gauge that ended in the window; undefined: there is none. */
  takeEnded(gauge: Series): ExactSource | undefined {
    if (this.#ended.size === 0) return undefined;
    const key = seriesKey(gauge);
    const ended = this.#ended.get(key);
    this.#ended.delete(key);
    return ended;
  }

  /** Ends a window, for all counters with a reading at this instant. */
  end(at: number): void {
    if (at <= this.#to) return;
    if (!Number.isNaN(this.#to)) this.#from = this.#to;
    this.#to = at;
    if (this.#ended.size === 0) return;
    for (const source of this.#ended.values()) this.#finish(source);
    this.#ended.clear();
  }

  /** The last powers of counters that ended, for windows that have ended since the last call. */
  takeLast(): readonly LastPower[] {
    const last = this.#last;
    if (last.length > 0) this.#last = [];
    return last;
  }

  #finish(source: ExactSource): void {
    this.#last.push({ series: source.series, at: this.#to, watts: source.finish(this.#to) });
  }
}

/** An energy counter that is computed at each of its readings, and the power that is derived from it. Times are nanoseconds. */
export class ExactSource {
  /** The gauge. */
  readonly series: Series;
  /** Number of the window in which its power was last computed, or its count started; NaN: neither is known. */
  window: number;
  /** When it was last in a table, or its count started. */
  seenAt: number;
  readonly #windows: CommonWindows;
  #isNew: boolean;
  #anchorAt: number;
  #anchorJ: number;
  /** The last reading. */
  #lastJ: number;
  #readAt = -Infinity;

  /**
   * @param startedAt since when it counts from 0; NaN: since before the collector's start
   * @param windowNs the length of a window
   */
  constructor(series: Series, startedAt: number, windowNs: number, windows: CommonWindows) {
    this.#windows = windows;
    const before = windows.takeEnded(series);
    this.series = before?.series ?? series;
    this.window = Math.floor(startedAt / windowNs);
    this.seenAt = startedAt;
    this.#isNew = !Number.isNaN(startedAt);
    this.#anchorAt = startedAt;
    // Its power also includes the energy of a previous counter in this window.
    this.#anchorJ = this.#isNew ? -(before?.restJ ?? 0) : NaN;
    this.#lastJ = this.#anchorJ;
    windows.join(startedAt);
  }

  /** Time of the last reading. */
  get readAt(): number {
    return this.#readAt;
  }

  /** Joules that are not in any power yet. */
  get restJ(): number {
    return this.#lastJ - this.#anchorJ;
  }

  /** The first reading of a counter whose start is not known: it counts from here on. */
  begin(at: number, joules: number): void {
    if (Number.isNaN(joules)) return;
    this.#anchorAt = at;
    this.#anchorJ = joules;
    this.note(at, joules);
    this.#windows.join(at);
  }

  /** Takes a reading within a window. */
  note(at: number, joules: number): void {
    if (Number.isNaN(joules)) return;
    this.#readAt = at;
    this.#lastJ = joules;
  }

  /**
   * Watts: the mean since the last reading passed to this function, or over the window in which the count
   * started.
   * @param joules of the counter at this instant; NaN: no reading
   * @returns NaN without a reading, or without an earlier one
   */
  read(at: number, joules: number): number {
    this.#windows.end(at);
    if (Number.isNaN(joules) || at <= this.#anchorAt) return NaN;
    if (Number.isNaN(this.#anchorAt)) this.begin(at, joules);
    this.note(at, joules);
    return this.finish(at);
  }

  /** Watts up to this instant, by the last reading. */
  finish(at: number): number {
    // All its energy was used since the window started: it was in no row before.
    if (this.#isNew) this.#anchorAt = this.#windows.from;
    this.#isNew = false;
    const watts = (this.restJ / (at - this.#anchorAt)) * 1e9;
    this.#anchorAt = at;
    this.#anchorJ = this.#lastJ;
    // A counter that falls was reset, although the previous one was not ended.
    return watts >= 0 ? watts : NaN;
  }
}
