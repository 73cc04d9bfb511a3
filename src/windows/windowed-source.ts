import type { AnySeries } from '../model/series.js';

/**
 * The value of a series in a window: `growth` of a counter, `rate` of it per second, or `value`: of a counter
 * at the end of the window, of others the mean over it. `auto`: growth of counters, value of others.
 */
export type Take = 'auto' | 'growth' | 'rate' | 'value';

const [time, value, integral, base] = [0, 1, 2, 3] as const;

/**
 * A series evaluated at the ends of windows; between two readings it is linear. Kept are the values at the
 * ends: of a counter its count, of any other series the integral over time, whose growth over a window gives
 * the mean. Windows are numbered by their ends, which are multiples of their length. Times are nanoseconds.
 */
export class WindowedSource {
  /** Includes histograms. */
  readonly isCounter: boolean;
  /** The last window end at which its value is known. */
  known: number;
  /** When the series started. */
  readonly #startAt: number;
  readonly #windowNs: number;
  /** The values at the window ends up to `known`. */
  readonly #counts: number[] = [];
  #hasEnded = false;
  /**
   * The last reading, the integral up to it, and a counter's value at its start, in an array to avoid
   * allocation. The latter is 0, unless an unknown count precedes the start: then the first reading is placed
   * at the start.
   */
  readonly #last = new Float64Array(4);

  /**
   * @param startAt when a counter was 0, or a gauge started
   * @param from the first window end that is needed
   */
  constructor({ metric: { kind } }: AnySeries, { startAt, windowNs, from }: SourceOptions) {
    this.isCounter = kind !== 'gauge' && kind !== 'updowncounter';
    this.#startAt = startAt;
    this.#windowNs = windowNs;
    this.#last[time] = startAt;
    this.#last[value] = this.isCounter ? 0 : NaN;
    this.known = Math.max(Math.floor(startAt / windowNs), from) - 1;
  }

  /**
   * Takes a reading. A gap (NaN) is bridged by the line. Numbers are passed in arrays, since number arguments
   * would be allocated on the heap.
   * @param instant of the reading, in its first element
   */
  read(instant: Float64Array, values: Float64Array, cell: number): void {
    const at = instant[0];
    const read = values[cell];
    const last = this.#last;
    if (Number.isNaN(read) || at < last[time]) return;
    if (this.isCounter && at === this.#startAt) last[base] = last[value] = read;
    if (at >= (this.known + 1) * this.#windowNs) this.#passEnds(at, read);
    if (!this.isCounter && !Number.isNaN(last[value])) {
      last[integral] += ((last[value] + read) / 2) * ((at - last[time]) / 1e9);
    }
    last[time] = at;
    last[value] = read;
  }

  /** Time of the last reading, or of the start before there is one. */
  get lastAt(): number {
    return this.#last[time];
  }

  /** The first window that may contain any of it. */
  get firstWindow(): number {
    return Math.floor(this.#startAt / this.#windowNs) + 1;
  }

  /** No reading will follow. */
  end(): void {
    this.#hasEnded = true;
  }

  /** Whether it has ended before this window. */
  isOver(window: number): boolean {
    return this.#hasEnded && (window - 1) * this.#windowNs >= this.#last[time];
  }

  /** Whether it existed during a part of the window only. */
  isPartial(window: number): boolean {
    return this.#startAt > (window - 1) * this.#windowNs || this.#hasEnded;
  }

  /** Its value for a window; NaN: unknown. */
  take(window: number, take: Take): number {
    const after = this.#recall(window);
    if (this.isCounter && take === 'value') return after;
    const growth = after - this.#recall(window - 1);
    return this.isCounter && take !== 'rate' ? growth : growth / (this.#windowNs / 1e9);
  }

  /** Discards what is before the end of a window. */
  forget(window: number): void {
    const first = this.known - this.#counts.length + 1;
    const counts = this.#counts;
    const gone = Math.min(window - first, counts.length - 1);
    if (gone <= 0) return;
    // Unlike splice, this allocates nothing.
    for (let i = gone; i < counts.length; i++) counts[i - gone] = counts[i];
    counts.length -= gone;
  }

  #recall(end: number): number {
    const first = this.known - this.#counts.length + 1;
    if (end < first) return this.isCounter ? this.#last[base] : NaN;
    if (end <= this.known) return this.#counts[end - first];
    return this.isCounter && this.#hasEnded ? this.#last[value] : NaN;
  }

  /** Stores the values at the window ends between the last reading and this one. */
  #passEnds(at: number, read: number): void {
    const newest = Math.floor(at / this.#windowNs);
    while (this.known < newest) {
      this.known += 1;
      this.#counts.push(this.#countAt(this.known * this.#windowNs, at, read));
    }
  }

  /** The value at an instant between the last reading and this one. */
  #countAt(instant: number, at: number, read: number): number {
    const [lastAt, lastValue, area] = this.#last;
    const slope = at > lastAt ? (read - lastValue) / (at - lastAt) : 0;
    const passed = instant - lastAt;
    if (this.isCounter) return passed <= 0 ? lastValue : lastValue + slope * passed;
    // The first reading of a gauge is the start of its line.
    if (Number.isNaN(lastValue)) return instant === at ? 0 : NaN;
    return area + (lastValue + (slope * passed) / 2) * (passed / 1e9);
  }
}

interface SourceOptions {
  readonly startAt: number;
  readonly windowNs: number;
  readonly from: number;
}
