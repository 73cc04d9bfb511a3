import type { Series } from '../model/series.js';
import { interpolate } from './knots.js';

/** Called for every point of a counter: its readings, and its values at the marks between them. */
export type PointListener = (at: number, total: number, isMark: boolean) => void;

/**
 * Divides the growth of a counter at marked instants. A reading comes later than the marks before it; between
 * two readings the counter is assumed to be linear. Times are nanoseconds after the same origin.
 */
export class MarkedCounter {
  readonly #origin: bigint;
  readonly #marks: readonly number[];
  readonly #onPoint: PointListener;
  readonly #totals: number[] = [];
  #series: Series | undefined;
  #at = -Infinity;
  #value = 0;
  #total = 0;

  /**
   * @param origin Unix time in nanoseconds of time 0
   * @param marks ascending; the caller appends to it
   */
  constructor(origin: bigint, marks: readonly number[], onPoint: PointListener = () => {}) {
    this.#origin = origin;
    this.#marks = marks;
    this.#onPoint = onPoint;
  }

  /** Takes a reading; NaN is none. A new series of the same counter continues where the previous one ended. */
  read(series: Series, at: number, value: number): void {
    if (Number.isNaN(value)) return;
    if (series !== this.#series) this.#begin(series);
    this.#passMarks(at, value);
    this.#total += value - this.#value;
    this.#value = value;
    this.#at = at;
    this.#onPoint(at, this.#total, false);
  }

  /** Growth between a mark and the next one, or until the last reading. */
  between(mark: number): number {
    const from = this.#totals[mark] ?? this.#total;
    return (this.#totals[mark + 1] ?? this.#total) - from;
  }

  /** A counter is 0 where its series starts. */
  #begin(series: Series): void {
    this.#series = series;
    this.#value = 0;
    this.#at = Math.max(this.#at, Number(series.start - this.#origin));
  }

  #passMarks(at: number, value: number): void {
    for (let mark = this.#marks[this.#totals.length] ?? NaN; mark <= at;) {
      const part = mark <= this.#at ? 0 : (mark - this.#at) / (at - this.#at);
      const total = interpolate(this.#total, this.#total + value - this.#value, part);
      this.#totals.push(total);
      this.#onPoint(mark, total, true);
      mark = this.#marks[this.#totals.length] ?? NaN;
    }
  }
}
