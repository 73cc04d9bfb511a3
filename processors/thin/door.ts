import { ChosenRows, type RowChooser } from '../../src/component/row-choosing.js';
import type { Table } from '../../src/model/table.js';

/** How the rows of some counters are chosen. */
export interface DoorOptions {
  /** In the unit of the counters. */
  readonly error: number;
  readonly heartbeatNs: number;
}

/**
 * Chooses the rows of counters that are read together: of the straight lines between the rows that are chosen, none is
 * further from a reading than the error, at any instant at which there is one (swinging door). A line begins with the row
 * that was chosen last, and has room between the least and the greatest slope that all readings since then allow. A row
 * outside of that room, for any of the counters, makes the row before it the end of the line and the beginning of the
 * next. Every row that is chosen is a reading as it came. Times are nanoseconds.
 */
export class Door implements RowChooser {
  readonly #error: number;
  readonly #heartbeatNs: number;
  readonly #width: number;
  /** The row that was chosen last, with NaN for what it did not have. */
  readonly #chosen: Float64Array;
  /** The slopes that are left to each counter. */
  readonly #least: Float64Array;
  readonly #greatest: Float64Array;
  /** The last row, whether or not it was chosen. */
  readonly #last: Float64Array;
  readonly #rows = new ChosenRows();
  #epoch: bigint | undefined;
  #chosenAt = NaN;
  #lastAt = NaN;

  constructor(width: number, { error, heartbeatNs }: DoorOptions) {
    this.#error = error;
    this.#heartbeatNs = heartbeatNs;
    this.#width = width;
    this.#chosen = new Float64Array(width).fill(NaN);
    this.#least = new Float64Array(width);
    this.#greatest = new Float64Array(width);
    this.#last = new Float64Array(width).fill(NaN);
  }

  /** @returns the rows that are chosen by now; of this table or, one of them, the last row of the table before */
  take(table: Table): Table | undefined {
    const { epoch, offsets, values, series } = table;
    this.#epoch ??= epoch;
    const shift = Number(epoch - this.#epoch);
    for (let row = 0; row < offsets.length; row++)
      this.#read(shift + offsets[row], values, row * this.#width);
    return this.#epoch === undefined ? undefined : this.#rows.take(series, this.#epoch);
  }

  /** @returns the last row, if it has not been chosen yet */
  finish(series: Table['series']): Table | undefined {
    if (this.#lastAt > this.#chosenAt) this.#choose(this.#lastAt, this.#last, 0);
    return this.#epoch === undefined ? undefined : this.#rows.take(series, this.#epoch);
  }

  #read(at: number, values: Float64Array, from: number): void {
    const isFirst = Number.isNaN(this.#chosenAt);
    // Time does not go back within the rows of some counters.
    if (at <= this.#lastAt) return;
    const hasGap = this.#hasOtherGaps(values, from);
    if (!isFirst && (hasGap || !this.#fits(at, values, from)) && this.#lastAt > this.#chosenAt) {
      this.#choose(this.#lastAt, this.#last, 0);
    }
    if (isFirst || hasGap || at - this.#chosenAt >= this.#heartbeatNs) this.#choose(at, values, from);
    else this.#narrow(at, values, from);
    for (let i = 0; i < this.#width; i++) this.#last[i] = values[from + i];
    this.#lastAt = at;
  }

  /** Whether other counters have a reading than in the last row: no line may span a gap. */
  #hasOtherGaps(values: Float64Array, from: number): boolean {
    for (let i = 0; i < this.#width; i++) {
      if (Number.isNaN(values[from + i]) !== Number.isNaN(this.#last[i])) return true;
    }
    return false;
  }

  #fits(at: number, values: Float64Array, from: number): boolean {
    const passed = at - this.#chosenAt;
    for (let i = 0; i < this.#width; i++) {
      const slope = (values[from + i] - this.#chosen[i]) / passed;
      if (slope < this.#least[i] || slope > this.#greatest[i]) return false;
    }
    return true;
  }

  #narrow(at: number, values: Float64Array, from: number): void {
    const passed = at - this.#chosenAt;
    for (let i = 0; i < this.#width; i++) {
      const growth = values[from + i] - this.#chosen[i];
      // Comparisons with NaN are false: what has no reading has no slope.
      const least = (growth - this.#error) / passed;
      const greatest = (growth + this.#error) / passed;
      if (least > this.#least[i]) this.#least[i] = least;
      if (greatest < this.#greatest[i]) this.#greatest[i] = greatest;
    }
  }

  #choose(at: number, values: Float64Array, from: number): void {
    const row = values.slice(from, from + this.#width);
    this.#rows.add(at, row);
    this.#chosen.set(row);
    this.#chosenAt = at;
    this.#least.fill(-Infinity);
    this.#greatest.fill(Infinity);
  }
}
