import type { Reading } from './knot-finder.js';

/** Beyond this, every second knot is dropped: the curve gets coarser, but its totals are kept. */
const maxKnots = 65_536;

/**
 * The value between two points of a curve that is linear between them.
 * @param part fraction of the way from one to the other, 0 to 1
 */
export function interpolate(from: number, to: number, part: number): number {
  return from + (to - from) * part;
}

/** Points of a cumulative curve that is linear between them; the oldest are discarded on request. */
export class Knots {
  #times = new Float64Array(64);
  #values = new Float64Array(64);
  #from = 0;
  #to = 0;

  get isEmpty(): boolean {
    return this.#from === this.#to;
  }

  /** Time of the oldest knot. */
  get firstAt(): number {
    return this.isEmpty ? NaN : this.#times[this.#from];
  }

  /** Time of the newest knot. */
  get lastAt(): number {
    return this.isEmpty ? NaN : this.#times[this.#to - 1];
  }

  /** @param knot later than all earlier knots */
  push(knot: Reading): void {
    if (this.#to === this.#times.length) this.#makeRoom();
    this.#times[this.#to] = knot[0];
    this.#values[this.#to] = knot[1];
    this.#to += 1;
  }

  /** Time of the first knot after an instant; NaN: none. */
  findAfter(at: number): number {
    const index = this.#indexAfter(at);
    return index === this.#to ? NaN : this.#times[index];
  }

  /** Time of the last knot up to an instant; NaN: none. */
  findUpTo(at: number): number {
    const index = this.#indexAfter(at) - 1;
    return index < this.#from ? NaN : this.#times[index];
  }

  /** The curve's value at an instant between the oldest and the newest knot. */
  valueAt(at: number): number {
    const after = this.#indexAfter(at);
    const before = after - 1;
    if (after === this.#to || this.#times[before] === at) return this.#values[before];
    const part = (at - this.#times[before]) / (this.#times[after] - this.#times[before]);
    return interpolate(this.#values[before], this.#values[after], part);
  }

  /**
   * The uncertainty of the curve at an instant between two knots, as a time: that much energy, at the mean
   * power between the knots, may belong to the other side of the instant. 0 at a knot, largest in the middle.
   */
  edgeAt(at: number): number {
    const after = this.#indexAfter(at);
    const before = after - 1;
    if (after === this.#to || this.#times[before] === at) return 0;
    const sinceNs = at - this.#times[before];
    const untilNs = this.#times[after] - at;
    return (sinceNs * untilNs) / (sinceNs + untilNs);
  }

  /** Time and value of the last knot at or before an instant, and of the next knot. */
  around(at: number): readonly number[] {
    const after = this.#indexAfter(at);
    const before = after - 1;
    const to = after === this.#to ? before : after;
    return [this.#times[before], this.#values[before], this.#times[to], this.#values[to]];
  }

  /** Discards what is not needed for instants from this one on. */
  forgetBefore(at: number): void {
    this.#from = Math.max(this.#from, this.#indexAfter(at) - 1);
  }

  /** Discards the oldest knot. */
  forgetFirst(): void {
    this.#from += 1;
  }

  /** Moves the oldest knot but one to the middle between the two, and discards the oldest. */
  halveFirst(): void {
    const next = this.#from + 1;
    this.#times[next] = Math.ceil((this.#times[this.#from] + this.#times[next]) / 2);
    this.#from = next;
  }

  /** Index of the first knot after an instant. */
  #indexAfter(at: number): number {
    let low = this.#from;
    let high = this.#to;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#times[middle] > at) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #makeRoom(): void {
    const size = this.#to - this.#from;
    if (size >= maxKnots) this.#thin();
    else if (size > this.#times.length / 2) this.#grow();
    else this.#compact();
  }

  #compact(): void {
    this.#times.copyWithin(0, this.#from, this.#to);
    this.#values.copyWithin(0, this.#from, this.#to);
    this.#to -= this.#from;
    this.#from = 0;
  }

  #grow(): void {
    const times = new Float64Array(2 * this.#times.length);
    const values = new Float64Array(2 * this.#times.length);
    times.set(this.#times.subarray(this.#from, this.#to));
    values.set(this.#values.subarray(this.#from, this.#to));
    this.#times = times;
    this.#values = values;
    this.#to -= this.#from;
    this.#from = 0;
  }

  #thin(): void {
    let kept = 0;
    for (let i = this.#from; i < this.#to; i++) {
      // The newest knot is kept: settled windows reach up to it.
      if ((i - this.#from) % 2 === 1 && i !== this.#to - 1) continue;
      this.#times[kept] = this.#times[i];
      this.#values[kept] = this.#values[i];
      kept += 1;
    }
    this.#from = 0;
    this.#to = kept;
  }
}
