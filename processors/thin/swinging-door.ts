import { ChosenRows, type RowChooser } from '../../src/component/row-choosing.js';
import type { Table } from '../../src/model/table.js';

/** How the rows of some counters are chosen. */
export interface DoorOptions {
  /** In the unit of the counters. */
  readonly error: number;
  readonly heartbeatNs: number;
}

/**
 * Chooses the rows of counters that are read together, such that linear interpolation between the chosen rows
 * differs from each reading by at most the error (swinging door). A line starts at the last chosen row; the
 * readings since then limit its slope to a range. A row outside of that range, for any of the counters, makes
 * the previous row the end of the line and the start of the next one. Every chosen row is an unchanged reading.
 * Times are nanoseconds.
 */
export class SwingingDoor implements RowChooser {
  readonly #error: number;
  readonly #heartbeatNs: number;
  readonly #width: number;
  /** The last chosen row, with NaN where it has no reading. */
  readonly #chosen: Float64Array;
  /** The range of slopes that remains for each counter. */
  readonly #least: Float64Array;
  readonly #greatest: Float64Array;
  /** The last row, chosen or not. */
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

  /** @returns the rows that are chosen so far: of this table or, for one of them, the last row of the previous table */
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
    // Times do not decrease within the rows of some counters.
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

  /** Whether the set of counters with a reading differs from the last row: no line may span a gap. */
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
      // Comparisons with NaN are false: without a reading there is no slope.
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
