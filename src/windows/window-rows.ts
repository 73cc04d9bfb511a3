import type { Series } from '../model/series.js';
import type { Table } from '../model/table.js';

/** The `window` setting of components with aligned windows. */
export const windowSetting = {
  doc: 'Length of the windows, which end at multiples of it on the wall clock.',
  format: 'duration',
  default: '1s',
  min: 1,
} as const;

/** Collects a row per window, until they are taken as a table. */
export class WindowRows {
  #series: readonly Series[] = [];
  #times: bigint[] = [];
  #values: number[] = [];

  /** Sets the columns of the next rows. All rows of the previous columns must have been taken. */
  begin(series: readonly Series[]): void {
    this.#series = series;
  }

  get hasNoColumns(): boolean {
    return this.#series.length === 0;
  }

  /**
   * Adds a row.
   * @param at end of the window, Unix time in nanoseconds
   * @returns the row, to which the value of each column must be pushed
   */
  add(at: bigint): number[] {
    this.#times.push(at);
    return this.#values;
  }

  /** The rows added since the last call; undefined: none. */
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
