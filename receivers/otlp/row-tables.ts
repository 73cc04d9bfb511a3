import type { Series } from '../../src/model/series.js';
import { SeriesArrays } from '../../src/model/series-arrays.js';
import { createEnding, type Table } from '../../src/model/table.js';
import { joinHalves, subtractHalves } from './live-series.js';
import { Numbers } from './numbers.js';

/** Maximum rows per table. */
const maxRows = 1024;

/**
 * Creates tables from rows in order of time: consecutive rows with the same series form a table. As long as the
 * series are the same, their array is the same object. Adding a point allocates nothing.
 */
export class RowTables {
  readonly #emit: (table: Table) => void;
  readonly #arrays = new SeriesArrays<Series>();
  /** The series of the current table, or of the previous one. */
  #series: readonly Series[] = [];
  /** The current table: its first timestamp, the rows and their values, including those of the current row. */
  #high = 0;
  #low = 0;
  readonly #offsets = new Numbers();
  readonly #values = new Numbers();
  /** The series of the current row. */
  readonly #row: Series[] = [];
  #length = 0;
  /** Whether they are equal to those of the table so far. */
  #isSame = true;
  #ended: Series[] = [];
  #endedAt = 0n;

  constructor(emit: (table: Table) => void) {
    this.#emit = emit;
  }

  /** Adds a point to the current row. A series must not be added twice. NaN: no reading. */
  add(one: Series, value: number): void {
    if (this.#series[this.#length] !== one) this.#isSame = false;
    this.#row[this.#length] = one;
    this.#length += 1;
    this.#values.push(value);
  }

  /** Ends the current row. Its time must be after that of the previous row. */
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

  /** Notes that a series ended before the current row. */
  end(series: Series, at: bigint): void {
    if (this.#offsets.length > 0 || at !== this.#endedAt) this.flush();
    this.#endedAt = at;
    this.#ended.push(series);
  }

  /** Discards queued rows, and forwards the ends of series. */
  dropRows(): void {
    this.#offsets.clear();
    this.#values.clear();
    this.#length = 0;
    this.#isSame = true;
    this.flush();
  }

  /** Forwards everything that is queued. */
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
