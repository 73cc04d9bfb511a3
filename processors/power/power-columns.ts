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
   * @param shiftNs time of the table's epoch
   * @returns undefined where none ends
   */
  derive(table: Table, shiftNs: number, windowNs: number): Table | undefined {
    if (this.#columns.length === 0 || table.offsets.length === 0) return undefined;
    this.#begin(table, shiftNs + table.offsets[0]);
    const rows = this.#findRows(table, shiftNs, windowNs);
    if (rows.length === 0) return undefined;
    const values = rows.flatMap((row) => this.#readRow(table, row, shiftNs));
    const offsets = Float64Array.from(rows, (row) => table.offsets[row]);
    return { series: this.#series, epoch: table.epoch, offsets, values: Float64Array.from(values) };
  }

  /** Counters that nobody knew before are counted from this reading on. */
  #begin({ values }: Table, at: number): void {
    for (const { index, source } of this.#columns) {
      if (Number.isNaN(source.askedAt)) source.read(at, values[index]);
    }
  }

  #findRows({ offsets }: Table, shiftNs: number, windowNs: number): number[] {
    const rows: number[] = [];
    let askedAt = Infinity;
    let seenAt = Infinity;
    for (const { source } of this.#columns) {
      askedAt = Math.min(askedAt, source.askedAt);
      seenAt = Math.min(seenAt, source.seenAt);
    }
    for (let row = 0; row < offsets.length; row++) {
      const at = shiftNs + offsets[row];
      // The reading that is nearest to the end of the window: the next one would be as much later again.
      if (at + (at - seenAt) / 2 - askedAt >= windowNs) {
        rows.push(row);
        askedAt = at;
      }
      seenAt = at;
    }
    for (const { source } of this.#columns) source.seenAt = seenAt;
    return rows;
  }

  #readRow({ values, offsets, series }: Table, row: number, shiftNs: number): number[] {
    const at = shiftNs + offsets[row];
    return this.#columns.map(({ index, source }) => source.read(at, values[row * series.length + index]));
  }
}
