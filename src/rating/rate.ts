/** Cost or emissions per joule by time of use: piecewise constant. Times are Unix nanoseconds. */
export interface Rate {
  /** The factor at an instant; NaN: unknown. */
  at(ns: number): number;
  /** Since when the factor that `at` returned last is valid; -Infinity: it has no beginning. */
  readonly since: number;
  /** Until when the factor that `at` returned last is valid. */
  readonly until: number;
}

/** Maximum pieces of one mean: an hourly rate for a year. */
const maxPieces = 10_000;

/** The mean of a rate between two instants; NaN unless it is known throughout. */
export function meanRate(rate: Rate, from: number, to: number): number {
  let at = from;
  let sum = 0;
  for (let piece = 0; piece < maxPieces && at < to; piece++) {
    const factor = rate.at(at);
    const end = Math.min(rate.until, to);
    sum += factor * (end - at);
    at = end;
  }
  return at === to && to > from ? sum / (to - from) : rate.at(to);
}

/** A rate that never changes. */
export function createConstantRate(factor: number): Rate {
  return { at: () => factor, since: -Infinity, until: Infinity };
}

/** Maximum points: hourly ones for more than a year. */
const maxPoints = 16_384;

/** A rate that holds from each of its points to the next; the first one also before it. */
export class StepRate implements Rate {
  since = -Infinity;
  until = Infinity;
  #times: readonly number[] = [];
  #factors: readonly number[] = [];

  /** The start of the latest point; -Infinity: none. */
  get latestAt(): number {
    return this.#times.at(-1) ?? -Infinity;
  }

  /** Replaces all points, in any order. */
  replace(points: readonly RatePoint[]): void {
    const sorted = points.toSorted((a, b) => a.at - b.at).slice(-maxPoints);
    this.#times = sorted.map(({ at }) => at);
    this.#factors = sorted.map(({ factor }) => factor);
  }

  /** Adds a point after all others; one that is not later than the last is ignored. */
  add({ at, factor }: RatePoint): void {
    if (at <= this.latestAt) return;
    const isFull = this.#times.length >= maxPoints;
    this.#times = [...(isFull ? this.#times.slice(1) : this.#times), at];
    this.#factors = [...(isFull ? this.#factors.slice(1) : this.#factors), factor];
  }

  at(ns: number): number {
    let [low, high] = [0, this.#times.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#times[middle] ?? NaN) <= ns) low = middle + 1;
      else high = middle;
    }
    const piece = Math.max(0, low - 1);
    this.since = piece === 0 ? -Infinity : (this.#times[piece] ?? -Infinity);
    this.until = this.#times[piece + 1] ?? Infinity;
    return this.#factors[piece] ?? NaN;
  }
}

/** A factor and its start. */
export interface RatePoint {
  readonly at: number;
  readonly factor: number;
}
