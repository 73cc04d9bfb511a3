import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import type { PowerSource } from './power-source.js';

/** An energy column of a table. */
export interface PowerColumn {
  /** Where it is in a row. */
  readonly index: number;
  readonly source: PowerSource;
}

/** The energy columns of the tables with one array of series. They get their power at the same instants. */
export class PowerColumns {
  readonly #columns: readonly PowerColumn[];
  readonly #series: readonly Series[];

  constructor(columns: readonly PowerColumn[]) {
    this.#columns = columns;
    this.#series = columns.map(({ source }) => source.series);
  }

  /**
   * A row of watts for each window that ends in this table.
   * @param shiftNs time of the table's epoch; windows end at multiples of their length
   * @returns undefined where none ends
   */
  derive(table: Table, shiftNs: number, windowNs: number): Table | undefined {
    if (this.#columns.length === 0 || table.offsets.length === 0) return undefined;
    this.#begin(table, shiftNs + table.offsets[0], windowNs);
    const rows = this.#findRows(table, shiftNs, windowNs);
    if (rows.length === 0) return undefined;
    const values = rows.flatMap((row) => this.#readRow(table, row, shiftNs));
    const offsets = Float64Array.from(rows, (row) => table.offsets[row]);
    return { series: this.#series, epoch: table.epoch, offsets, values: Float64Array.from(values) };
  }

  /** Counters that nobody knew before are counted from this reading on. */
  #begin({ values }: Table, at: number, windowNs: number): void {
    for (const { index, source } of this.#columns) {
      if (!Number.isNaN(source.window)) continue;
      source.read(at, values[index]);
      source.window = Math.floor(at / windowNs);
      source.seenAt = at;
    }
  }

  /** The first reading after the end of each window, or each reading where they are about as rare as windows. */
  #findRows({ offsets }: Table, shiftNs: number, windowNs: number): number[] {
    const rows: number[] = [];
    let { window, seenAt } = this.#findOldest();
    for (let row = 0; row < offsets.length; row++) {
      const at = shiftNs + offsets[row];
      const spacingNs = at - seenAt;
      seenAt = at;
      // Readings that are meant for the end of a window come a little early at times.
      const current = Math.floor((at + spacingNs / 4) / windowNs);
      if (current <= window && spacingNs < 0.75 * windowNs) continue;
      rows.push(row);
      window = current;
    }
    for (const { source } of this.#columns) {
      source.window = window;
      source.seenAt = seenAt;
    }
    return rows;
  }

  #findOldest(): { window: number; seenAt: number } {
    let window = Infinity;
    let seenAt = Infinity;
    for (const { source } of this.#columns) {
      window = Math.min(window, source.window);
      seenAt = Math.min(seenAt, source.seenAt);
    }
    return { window, seenAt };
  }

  #readRow({ values, offsets, series }: Table, row: number, shiftNs: number): number[] {
    const at = shiftNs + offsets[row];
    return this.#columns.map(({ index, source }) => source.read(at, values[row * series.length + index]));
  }
}
