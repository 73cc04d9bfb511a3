import type { Series } from '../../src/model/series.js';
import { SeriesArrays } from '../../src/model/series-arrays.js';
import { createEnding, type Table } from '../../src/model/table.js';
import { joinHalves, subtractHalves } from './live-series.js';
import { Numbers } from './numbers.js';

/** Rows that a table has at most. */
const maxRows = 1024;

/**
 * Makes tables of rows that come in the order of time: those that follow each other and have the same series are a table.
 * The array of series is the same object while the set is. A point is added without an allocation.
 */
export class RowTables {
  readonly #emit: (table: Table) => void;
  readonly #arrays = new SeriesArrays<Series>();
  /** Those of the table that grows, or of the one before. */
  #series: readonly Series[] = [];
  /** Of the table that grows: its first instant, the rows and their values, those of the row that is being made last. */
  #high = 0;
  #low = 0;
  readonly #offsets = new Numbers();
  readonly #values = new Numbers();
  /** The series of the row that is being made. */
  readonly #row: Series[] = [];
  #length = 0;
  /** Whether they are those of the table, as far as they go. */
  #isSame = true;
  #ended: Series[] = [];
  #endedAt = 0n;

  constructor(emit: (table: Table) => void) {
    this.#emit = emit;
  }

  /** Adds a point to the row that is being made. No series is there twice. NaN: no reading. */
  add(one: Series, value: number): void {
    if (this.#series[this.#length] !== one) this.#isSame = false;
    this.#row[this.#length] = one;
    this.#length += 1;
    this.#values.push(value);
  }

  /** Ends the row, whose instant is after that of the one before. */
  endRow(high: number, low: number): void {
    if (this.#length === 0) return;
    const isSame = this.#isSame && this.#length === this.#series.length;
    const offset = subtractHalves(high, low, this.#high, this.#low);
    const hasRoom = this.#offsets.length < maxRows && offset <= Number.MAX_SAFE_INTEGER;
    if (!isSame || !hasRoom || this.#ended.length > 0) this.flush();
    if (!isSame) this.#series = this.#arrays.find(this.#row, this.#length);
    if (this.#offsets.length === 0) [this.#high, this.#low] = [high, low];
    this.#offsets.push(this.#offsets.length === 0 ? 0 : offset);
    this.#length = 0;
    this.#isSame = true;
  }

  /** Takes note that a series ended, before the row that is being made. */
  end(series: Series, at: bigint): void {
    if (this.#offsets.length > 0 || at !== this.#endedAt) this.flush();
    this.#endedAt = at;
    this.#ended.push(series);
  }

  /** Forgets the rows that wait, and passes on what ended. */
  dropRows(): void {
    this.#offsets.length = this.#values.length = this.#length = 0;
    this.#isSame = true;
    this.flush();
  }

  /** Passes on what waits. */
  flush(): void {
    this.#emitRows();
    const ended = this.#ended;
    if (ended.length === 0) return;
    this.#ended = [];
    this.#emit(createEnding(ended, this.#endedAt));
  }

  #emitRows(): void {
    const rows = this.#offsets.length;
    if (rows === 0) return;
    const series = this.#series;
    const cells = rows * series.length;
    const offsets = this.#offsets.values.slice(0, rows);
    const values = this.#values.values.slice(0, cells);
    this.#offsets.length = 0;
    this.#values.removeFirst(cells);
    this.#emit({ series, epoch: joinHalves(this.#high, this.#low), offsets, values });
  }
}
