import { elementAt } from '../element.js';
import { KnotFinder, type Reading } from './knot-finder.js';
import { Knots } from './knots.js';

/** A point of a counter's curve before its first reading, such as the instant at which it was 0. */
export interface Beginning {
  readonly point: Reading;
  /** Whether it is certainly a knot, even if the meter is slow. */
  readonly isKnot: boolean;
}

/**
 * The cumulative energy of a domain from the readings of its meter (docs/ledger.md, Windows): a reading with a
 * changed counter is a knot, at the instant at which it probably changed; a reading without a change becomes one only
 * after twice the learned time between changes. Times are nanoseconds, energies whole nanojoules.
 */
export class EnergyCurve {
  readonly #knots = new Knots();
  readonly #finder: KnotFinder;

  /** @param statedNs as for `KnotFinder` */
  constructor(statedNs?: number) {
    this.#finder = new KnotFinder(statedNs);
  }

  /** Time of the last reading; -Infinity: none. */
  get readAt(): number {
    return this.#finder.readAt;
  }

  /** The last reading; NaN: none. */
  get value(): number {
    return this.#finder.value;
  }

  /** Learned refresh interval; 0: unknown, or so short that every reading is a change. */
  get refreshNs(): number {
    return this.#finder.refreshNs;
  }

  /** Learned time between two knots; 0: unknown. */
  get changeNs(): number {
    return this.#finder.changeNs;
  }

  /** Mean time between two readings. */
  get readNs(): number {
    return this.#finder.readNs;
  }

  /** Maximum age of a knot at its reading, apart from `delayNs`. */
  get lagNs(): number {
    return this.#finder.lagNs;
  }

  /** By how much all knots alike may be older at their readings. */
  get delayNs(): number {
    return this.#finder.delayNs;
  }

  /** Time of the oldest knot, even if it may not be the start of the known curve; NaN: none. */
  get oldestAt(): number {
    return this.#knots.firstAt;
  }

  /** Start of the known curve; NaN: nothing is known yet. */
  get firstAt(): number {
    return this.#finder.isBegun ? this.#knots.firstAt : NaN;
  }

  /** End of the known curve; NaN: nothing is known yet. */
  get lastAt(): number {
    return this.#finder.isBegun ? this.#knots.lastAt : NaN;
  }

  /**
   * Takes a reading. Readings that are not later than the last are ignored.
   * @param isExact the counter is computed at each reading, not refreshed periodically
   * @returns false when the counter has decreased: it was reset, and this curve has ended
   */
  read(reading: Reading, isExact: boolean): boolean {
    const finding = this.#finder.read(reading, isExact);
    if (finding === 'fallen') return false;
    if (finding === 'knot' || finding === 'still' || finding === 'first knot')
      this.#knots.push(this.#finder.knot);
    if (finding === 'first knot') this.#knots.forgetFirst();
    if (finding === 'late') this.#knots.halveFirst();
    return true;
  }

  /**
   * Takes a point of the curve before the first reading. Without effect if the counter has decreased since, or if it has
   * not changed and the point may not be a knot.
   * @param beginning undefined: not known
   * @param first the first reading
   */
  readBeginning(beginning: Beginning | undefined, first: Reading, isExact: boolean): void {
    if (beginning === undefined) return;
    const { point, isKnot } = beginning;
    const growthNj = elementAt(first, 1) - elementAt(point, 1);
    const counts = isKnot ? growthNj >= 0 : growthNj > 0;
    if (counts && elementAt(first, 0) > elementAt(point, 0)) this.read(point, isKnot || isExact);
  }

  /** Time of the first knot after an instant; NaN: none. */
  findKnotAfter(at: number): number {
    return this.#knots.findAfter(at);
  }

  /** Time of the last knot up to an instant; NaN: none. */
  findKnotUpTo(at: number): number {
    return this.#knots.findUpTo(at);
  }

  /** Whole nanojoules at an instant between `firstAt` and `lastAt`. */
  energyNjAt(at: number): number {
    return Math.round(this.#knots.valueAt(at));
  }

  /** Uncertainty of the instant at which energy was used; 0 at a knot (`Knots.edgeAt`). */
  edgeNsAt(at: number): number {
    return this.#knots.edgeAt(at);
  }

  /** Time and value of the knots around an instant: the curve is linear between them. */
  knotsAround(at: number): readonly number[] {
    return this.#knots.around(at);
  }

  /** Discards what is not needed for instants from this one on. */
  forgetBefore(at: number): void {
    this.#knots.forgetBefore(at);
  }

  /** No reading will follow: the curve ends with the last reading as a knot. */
  finish(): void {
    this.#finder.finish();
    const { isBegun, readAt, value } = this.#finder;
    if (isBegun && readAt > this.#knots.lastAt) this.#knots.push(Float64Array.of(readAt, value));
  }
}
