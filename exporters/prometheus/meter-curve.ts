import { elementAt } from '../../src/element.js';
import { EnergyCurve, type Beginning } from '../../src/energy/energy-curve.js';
import { findMeterFacts } from '../../src/energy/meter-facts.js';
import { ATTR_ENERGY_METHOD } from '../../src/model/semantic-conventions.js';
import type { Series } from '../../src/model/series.js';
import { timeOf, type Table } from '../../src/model/table.js';

/** Maximum tables that wait for the first window of a ledger. */
const maxWaiting = 16;

/** A counter that started longer ago counted before the collector was started: the default of `max_window`. */
const maxStartNs = 300e9;

/** The curve of one counter, by the rules of the ledger (docs/ledger.md, Windows). */
export class MeterCurve {
  readonly #series: Series;
  readonly #isExact: boolean;
  /** Unix time in nanoseconds of time 0. */
  readonly #epoch: bigint;
  readonly #reading = new Float64Array(2);
  /** Read once there is a ledger: without one, the readings of a fast meter are not worth their time. */
  #waiting: { readonly table: Table; readonly column: number }[] = [];
  #curve: EnergyCurve;
  /** When the counter was 0, until its first reading. */
  #beginning: Beginning | undefined;
  #readNs = 0n;

  /** @param epoch Unix time in nanoseconds of its first table */
  constructor(series: Series, epoch: bigint) {
    this.#series = series;
    this.#epoch = epoch;
    this.#isExact = series.attributes[ATTR_ENERGY_METHOD] === 'estimated';
    this.#curve = createCurve(series);
    const startAt = Number(series.start - epoch);
    this.#beginning =
      startAt >= -maxStartNs ? { point: Float64Array.of(startAt, 0), isKnot: false } : undefined;
  }

  /** Unix time in nanoseconds of the last row. */
  get readNs(): bigint {
    return this.#readNs;
  }

  /**
   * Takes the readings of a table that has rows.
   * @param settledNs no value at an earlier instant will be needed; undefined: there is no ledger yet
   */
  take(table: Table, column: number, settledNs: bigint | undefined): void {
    this.#readNs = timeOf(table, table.offsets.length - 1);
    this.#waiting.push({ table, column });
    if (settledNs === undefined) {
      if (this.#waiting.length > maxWaiting) this.#waiting.shift();
      return;
    }
    this.#readWaiting();
    this.#curve.forgetBefore(Number(settledNs - this.#epoch));
  }

  /**
   * The value at an instant, or the last known one before it.
   * @returns undefined before the first knot
   */
  valueAt(unixNs: bigint): number | undefined {
    this.#readWaiting();
    const at = Number(unixNs - this.#epoch);
    const { firstAt, lastAt } = this.#curve;
    return at >= firstAt ? this.#curve.energyNjAt(Math.min(at, lastAt)) / 1e9 : undefined;
  }

  #readWaiting(): void {
    if (this.#waiting.length === 0) return;
    for (const { table, column } of this.#waiting) this.#readTable(table, column);
    this.#waiting = [];
  }

  #readTable({ epoch, offsets, values, series }: Table, column: number): void {
    const reading = this.#reading;
    const from = Number(epoch - this.#epoch);
    for (let row = 0; row < offsets.length; row++) {
      const value = elementAt(values, row * series.length + column);
      if (!(value >= 0 && value < Infinity)) continue;
      reading[0] = from + elementAt(offsets, row);
      reading[1] = Math.round(value * 1e9);
      this.#read(reading);
    }
  }

  #read(reading: Float64Array): void {
    this.#curve.readBeginning(this.#beginning, reading, this.#isExact);
    this.#beginning = undefined;
    if (this.#curve.read(reading, this.#isExact)) return;
    this.#curve = createCurve(this.#series);
    this.#curve.read(reading, this.#isExact);
  }
}

function createCurve(series: Series): EnergyCurve {
  return new EnergyCurve(findMeterFacts(series).refreshNs);
}
