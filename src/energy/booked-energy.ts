import { findOrAdd } from '../model/plan.js';
import type { Series } from '../model/series.js';
import type { Beginning } from './energy-curve.js';

/** A point of a counter's curve, as Unix time in nanoseconds and whole nanojoules. */
interface Point {
  readonly unixNs: bigint;
  readonly nj: number;
}

const ledgers = new Map<string, WeakMap<Series, Point>>();

/**
 * Up to where the energy of each counter is booked by the successive ledgers of one processor. A reload may replace
 * the processor, while receivers continue with the same series, which other processors may read as well.
 */
export class BookedEnergy {
  readonly #points: WeakMap<Series, Point>;
  readonly #epoch: bigint;

  /**
   * @param id of the processor
   * @param epoch Unix time in nanoseconds of time 0
   */
  constructor(id: string, epoch: bigint) {
    this.#points = findOrAdd(ledgers, id, () => new WeakMap<Series, Point>());
    this.#epoch = epoch;
  }

  /** The ledger ends: a later one continues from here. */
  note(series: Series, { at, nj }: { readonly at: number; readonly nj: number }): void {
    this.#points.set(series, { unixNs: this.#epoch + BigInt(at), nj });
  }

  /**
   * The point from which on the energy of a counter is to be booked: up to where it is booked, or its start.
   * @param maxAgeNs if it is longer ago than this, the energy up to the first reading has unknown users
   */
  findBeginning(series: Series, maxAgeNs: number): Beginning | undefined {
    if (this.#points.has(series)) return this.findBooked(series, maxAgeNs);
    return this.#toBeginning({ unixNs: series.start, nj: 0 }, maxAgeNs, false);
  }

  /** The same, but only where a ledger has booked energy of the counter. */
  findBooked(series: Series, maxAgeNs: number): Beginning | undefined {
    const last = this.#points.get(series);
    return last && this.#toBeginning(last, maxAgeNs, true);
  }

  #toBeginning({ unixNs, nj }: Point, maxAgeNs: number, isKnot: boolean): Beginning | undefined {
    const at = Number(unixNs - this.#epoch);
    return at < -maxAgeNs ? undefined : { point: Float64Array.of(at, nj), isKnot };
  }
}
