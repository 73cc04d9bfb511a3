/** What a joule costs or emits, by the time at which it is used: constant between two instants. Times are Unix nanoseconds. */
export interface Rate {
  /** The factor of an instant; NaN: not known. */
  at(ns: number): number;
  /** Up to when the factor holds that `at` gave last. */
  readonly until: number;
}

/** Pieces that one mean looks at: an hourly rate for a year. */
const maxPieces = 10_000;

/** The mean of a rate between two instants; NaN where it is not known throughout. */
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
  return { at: () => factor, until: Infinity };
}

/** Points that are kept: hourly ones for more than a year. */
const maxPoints = 16_384;

/** A rate that holds from each of its points to the next, and before the first one as well. */
export class StepRate implements Rate {
  until = Infinity;
  #times: readonly number[] = [];
  #factors: readonly number[] = [];

  /** When the latest point begins; -Infinity: there is none. */
  get latestAt(): number {
    return this.#times.at(-1) ?? -Infinity;
  }

  /** Replaces all points, in any order. */
  replace(points: readonly RatePoint[]): void {
    const sorted = points.toSorted((a, b) => a.at - b.at).slice(-maxPoints);
    this.#times = sorted.map(({ at }) => at);
    this.#factors = sorted.map(({ factor }) => factor);
  }

  /** Adds a point behind the others; one that is not later than the last is ignored. */
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
    this.until = this.#times[piece + 1] ?? Infinity;
    return this.#factors[piece] ?? NaN;
  }
}

/** From when on a factor holds. */
export interface RatePoint {
  readonly at: number;
  readonly factor: number;
}
