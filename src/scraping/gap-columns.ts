import type { Series } from '../model/series.js';
import { createRow, type Table } from '../model/table.js';

/** Tracks what the last two readings of a source have published, in order to publish a gap for what is missing. */
export class GapColumns {
  #last = new Set<readonly Series[]>();
  #columns = new Set<readonly Series[]>();
  #ended = new Set<Series>();
  #lastEnded = new Set<Series>();
  #hasRows = false;

  /** Whether the current reading has had a row, with or without values. */
  get hasRows(): boolean {
    return this.#hasRows;
  }

  /** A reading starts. */
  begin(): void {
    this.#last = this.#columns;
    this.#columns = new Set();
    this.#lastEnded = this.#ended;
    this.#ended = new Set();
    this.#hasRows = false;
  }

  /** Adds a table of the reading. @param points the number of its values */
  note({ series, offsets, ended = [] }: Table, points: number): void {
    this.#hasRows ||= offsets.length > 0;
    // A row without values already is a gap.
    if (points > 0) this.#columns.add(series);
    for (const one of ended) this.#ended.add(one);
  }

  /** Every series has ended. */
  clear(): void {
    this.#last = new Set();
    this.#columns = new Set();
  }

  /** A row of NaN for every series of the last reading that the current one lacks and that has not ended, once. */
  createGap(at: bigint): readonly Table[] {
    const gone = [...this.#last].filter((series) => !this.#columns.has(series));
    this.#last = new Set();
    if (gone.length === 0) return [];
    const others = new Set<Series>([...[...this.#columns].flat(), ...this.#ended, ...this.#lastEnded]);
    return gone
      .map((series) =>
        series.some((one) => others.has(one)) ? series.filter((one) => !others.has(one)) : series,
      )
      .filter((series) => series.length > 0)
      .map((series) => createRow(series, at, new Float64Array(series.length).fill(NaN)));
  }
}
