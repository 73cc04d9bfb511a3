import type { Series } from '../model/series.js';
import type { Table } from '../model/table.js';

/** The setting `window` of what works on aligned windows. */
export const windowSetting = {
  doc: 'Length of the windows. They end at multiples of it on the wall clock.',
  format: 'duration',
  default: '1s',
  min: 1,
} as const;

/** What windows gave, a row for each of them, until it is taken as a table. */
export class WindowRows {
  #series: readonly Series[] = [];
  #times: bigint[] = [];
  #values: number[] = [];

  /** Sets the columns of the next row. All rows of the columns before must have been taken. */
  begin(series: readonly Series[]): void {
    this.#series = series;
  }

  get hasNoColumns(): boolean {
    return this.#series.length === 0;
  }

  /**
   * Adds a row.
   * @param at end of the window, Unix time in nanoseconds
   * @returns where the value of each column is to be pushed
   */
  add(at: bigint): number[] {
    this.#times.push(at);
    return this.#values;
  }

  /** The rows that were added since the last call; undefined: there are none. */
  take(): Table | undefined {
    const [epoch] = this.#times;
    if (epoch === undefined) return undefined;
    const offsets = Float64Array.from(this.#times, (at) => Number(at - epoch));
    const values = Float64Array.from(this.#values);
    this.#times = [];
    this.#values = [];
    return { series: this.#series, epoch, offsets, values };
  }
}
