import { interpolate } from './knots.js';

/**
 * The CPU time that one workload has used, known at its readings and linear between them. Keeps only what the
 * next boundary may need: the last boundary and the last two readings. All times in nanoseconds.
 */
export class UsageCurve {
  #cutAt: number;
  #cutNs = 0;
  #earlierAt: number;
  #earlierNs = 0;
  #latestAt: number;
  #latestNs = 0;

  /** @param start the instant at which usage was 0 */
  constructor(start: number) {
    this.#cutAt = start;
    this.#earlierAt = start;
    this.#latestAt = start;
  }

  /**
   * Takes a reading.
   * @param grownNs usage since the previous reading
   */
  read(at: number, grownNs: number): void {
    if (at > this.#latestAt) {
      this.#earlierAt = this.#latestAt;
      this.#earlierNs = this.#latestNs;
      this.#latestAt = at;
    }
    this.#latestNs += grownNs;
  }

  /**
   * Usage since the previous boundary, up to this one. A reading that came too late for the previous boundary
   * counts only after it, since the time before is already settled.
   * @param from the previous boundary
   */
  cut(from: number, to: number): number {
    const before = Math.max(this.#cutNs, this.#usedNsAt(from));
    const now = Math.max(before, this.#usedNsAt(to));
    this.#cutAt = to;
    this.#cutNs = now;
    return now - before;
  }

  #usedNsAt(at: number): number {
    if (at >= this.#latestAt) return this.#latestNs;
    if (at >= this.#earlierAt) {
      const part = (at - this.#earlierAt) / (this.#latestAt - this.#earlierAt);
      return Math.round(interpolate(this.#earlierNs, this.#latestNs, part));
    }
    if (at <= this.#cutAt) return this.#cutNs;
    const part = (at - this.#cutAt) / (this.#earlierAt - this.#cutAt);
    return Math.round(interpolate(this.#cutNs, this.#earlierNs, part));
  }
}
