import type { Series } from '../model/series.js';
import { createRow, type Table } from '../model/table.js';

/** Tracks what the last reading of a source has published, in order to publish a gap for it. */
export class GapColumns {
  #columns = new Set<readonly Series[]>();
  #ended = new Set<Series>();

  /** A reading starts. */
  begin(): void {
    this.#columns = new Set();
    this.#ended = new Set();
  }

  /** Adds a table of the reading. */
  note({ series, offsets, ended = [] }: Table): void {
    if (offsets.length > 0) this.#columns.add(series);
    for (const one of ended) this.#ended.add(one);
  }

  /** A row of NaN for every live series, once. */
  createGap(at: bigint): readonly Table[] {
    const columns = [...this.#columns].map((series) => this.#withoutEnded(series));
    this.begin();
    return columns
      .filter((series) => series.length > 0)
      .map((series) => createRow(series, at, new Float64Array(series.length).fill(NaN)));
  }

  #withoutEnded(series: readonly Series[]): readonly Series[] {
    if (!series.some((one) => this.#ended.has(one))) return series;
    return series.filter((one) => !this.#ended.has(one));
  }
}
