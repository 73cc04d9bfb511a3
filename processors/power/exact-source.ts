import { seriesKey, type Series } from '../../src/model/series.js';

/** The last power of a gauge whose counter ended within a window. */
export interface LastPower {
  readonly series: Series;
  readonly at: number;
  readonly watts: number;
}

/**
 * The windows that counters of one kind of hardware have in common. The power of a counter that began or ended within
 * a window is its mean over the whole window, so that the powers of the parts add up to that of the whole. Times are
 * nanoseconds.
 */
export class CommonWindows {
  #from = NaN;
  #to = NaN;
  /** Counters that have ended since, with energy that no power shows yet, by the key of their gauges. */
  readonly #ended = new Map<string, ExactSource>();
  #last: LastPower[] = [];

  /** Where the window begins that ended last; before the first one ended, where the first counter begins. */
  get from(): number {
    return this.#from;
  }

  /** @param startedAt since when a counter counts from 0; NaN: not known */
  join(startedAt: number): void {
    if (Number.isNaN(startedAt) || !Number.isNaN(this.#to)) return;
    if (!(startedAt >= this.#from)) this.#from = startedAt;
  }

  /**
   * A counter has ended. Its gauge ends when the window does: the one that ended last, where the counter had no reading
   * up to there, or the one that has begun since.
   */
  leave(source: ExactSource): void {
    if (source.readAt < this.#to) this.#finish(source);
    else this.#ended.set(seriesKey(source.series), source);
  }

  /** Takes back the counter with this gauge that ended in the window; undefined: there is none. */
  takeEnded(gauge: Series): ExactSource | undefined {
    if (this.#ended.size === 0) return undefined;
    const key = seriesKey(gauge);
    const ended = this.#ended.get(key);
    this.#ended.delete(key);
    return ended;
  }

  /** A window ends, for all counters that have a reading at this instant. */
  end(at: number): void {
    if (at <= this.#to) return;
    if (!Number.isNaN(this.#to)) this.#from = this.#to;
    this.#to = at;
    if (this.#ended.size === 0) return;
    for (const source of this.#ended.values()) this.#finish(source);
    this.#ended.clear();
  }

  /** The last powers of counters that ended in windows that have ended since the last time. */
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
  /** Number of the window in which its power was last asked for, or its count began; NaN: neither is known. */
  window: number;
  /** When it was last in a table, or its count began. */
  seenAt: number;
  readonly #windows: CommonWindows;
  #isNew: boolean;
  #anchorAt: number;
  #anchorJ: number;
  /** The last reading. */
  #lastJ: number;
  #readAt = -Infinity;

  /**
   * @param startedAt since when it counts from 0; NaN: since a time before the collector's
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
    // What a counter before it used in this window is in its power, too.
    this.#anchorJ = this.#isNew ? -(before?.restJ ?? 0) : NaN;
    this.#lastJ = this.#anchorJ;
    windows.join(startedAt);
  }

  /** When it was read last. */
  get readAt(): number {
    return this.#readAt;
  }

  /** Joules that no power shows yet. */
  get restJ(): number {
    return this.#lastJ - this.#anchorJ;
  }

  /** The first reading of a counter whose start is not known: it is counted from here on. */
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
   * Watts: the mean since the last reading that this was called with, or over the window in which the count began.
   * @param joules of the counter at this instant; NaN: no reading
   * @returns NaN where there is no reading, or none to compare it with
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
    // Whatever it holds came up since the window began: it was in no row before.
    if (this.#isNew) this.#anchorAt = this.#windows.from;
    this.#isNew = false;
    const watts = (this.restJ / (at - this.#anchorAt)) * 1e9;
    this.#anchorAt = at;
    this.#anchorJ = this.#lastJ;
    // A counter that falls is another one, although the last one was not ended.
    return watts >= 0 ? watts : NaN;
  }
}
