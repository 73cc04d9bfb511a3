import { Knots } from './knots.js';

/**
 * How much is known about the first reading. It may lie in the middle of a refresh interval of a slow meter: the
 * energy up to the next change would then be that of the whole interval.
 *
 * - first: one reading only
 * - repeated: the first reading came again, so the meter is slower than its readings and the first one goes
 * - changed: the second reading differed; the third will tell whether the meter is slow
 */
type Beginning = 'first' | 'repeated' | 'changed' | 'done';

/** How much a new interval between two changes counts in the learned refresh interval. */
const learningRate = 1 / 16;
const leastRepeatedShare = 1 / 32;

/**
 * The cumulative energy of a domain from the readings of its meter (ledger.md section 1): a reading at which the
 * counter changed is a knot, one at which it did not becomes a knot only after twice the learned time between changes.
 * Times are nanoseconds, energies whole nanojoules.
 */
export class EnergyCurve {
  readonly #knots = new Knots();
  #beginning: Beginning = 'first';
  #readAt = -Infinity;
  #changedAt = NaN;
  #energyNj = NaN;
  /** Learned time between two readings with a change. The meter may be faster, where hardly any is without. */
  #changeNs = 0;
  #isRepeated = false;
  /** How many of the last changes came after readings without one. */
  #repeatedShare = 0;

  /** Learned refresh interval; 0: not known, or so short that every reading is a change. */
  get refreshNs(): number {
    return this.#repeatedShare > leastRepeatedShare ? this.#changeNs : 0;
  }

  /** From where on the curve is known; NaN: nothing is known yet. */
  get firstAt(): number {
    return this.#beginning === 'done' ? this.#knots.firstAt : NaN;
  }

  /** Up to where the curve is known; NaN: nothing is known yet. */
  get lastAt(): number {
    return this.#beginning === 'done' ? this.#knots.lastAt : NaN;
  }

  /**
   * Takes a reading. One that is not later than the last is ignored.
   * @param isExact the counter is computed at each reading, not refreshed now and then
   * @returns false when the counter has fallen: it is another counter now, and this curve has ended
   */
  read(at: number, energyNj: number, isExact: boolean): boolean {
    if (at <= this.#readAt) return true;
    if (energyNj < this.#energyNj) return false;
    if (Number.isNaN(this.#energyNj)) this.#begin(at, energyNj, isExact);
    else if (energyNj > this.#energyNj) this.#change(at, energyNj);
    else this.#repeat(at);
    this.#readAt = at;
    this.#energyNj = energyNj;
    return true;
  }

  /** Time of the first knot after an instant; NaN: there is none. */
  findKnotAfter(at: number): number {
    return this.#knots.findAfter(at);
  }

  /** Whole nanojoules at an instant between `firstAt` and `lastAt`. */
  energyNjAt(at: number): number {
    return Math.round(this.#knots.valueAt(at));
  }

  /** Forgets what is not needed for instants from this one on. */
  forgetBefore(at: number): void {
    this.#knots.forgetBefore(at);
  }

  /** No reading will follow: what is known has to do, and the last reading is a knot. */
  finish(): void {
    if (this.#beginning === 'changed') this.#beginning = 'done';
    if (this.#beginning === 'done' && this.#readAt > this.#knots.lastAt) {
      this.#knots.push(this.#readAt, this.#energyNj);
    }
  }

  #begin(at: number, energyNj: number, isExact: boolean): void {
    this.#knots.push(at, energyNj);
    this.#changedAt = at;
    if (isExact) this.#beginning = 'done';
  }

  #change(at: number, energyNj: number): void {
    this.#knots.push(at, energyNj);
    if (this.#beginning === 'repeated') this.#knots.forgetFirst();
    else if (this.#beginning !== 'first') this.#learn(at - this.#changedAt);
    this.#beginning = this.#beginning === 'first' ? 'changed' : 'done';
    this.#changedAt = at;
  }

  #repeat(at: number): void {
    if (this.#beginning === 'first') this.#beginning = 'repeated';
    if (this.#beginning === 'changed') {
      this.#knots.forgetFirst();
      this.#beginning = 'done';
    }
    this.#isRepeated = true;
    const isStill = this.#changeNs > 0 && at - this.#changedAt >= 2 * this.#changeNs;
    if (isStill) this.#knots.push(at, this.#energyNj);
  }

  #learn(intervalNs: number): void {
    const known = this.#changeNs;
    // A domain that used nothing for an hour has not become slow.
    const next = Math.min(intervalNs, 4 * known);
    this.#changeNs = known === 0 ? intervalNs : known + (next - known) * learningRate;
    this.#repeatedShare += (Number(this.#isRepeated) - this.#repeatedShare) * learningRate;
    this.#isRepeated = false;
  }
}
