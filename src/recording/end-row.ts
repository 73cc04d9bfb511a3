import type { Series } from '../model/series.js';
import type { Table } from '../model/table.js';

/** What the column `state` of CSV and Parquet says of series that have no further row. */
export const endedState = 'ended';

/** A row without values of the series that ended, at the instant of the last row. */
export function createEndRow({ epoch, offsets }: Table, ended: readonly Series[]): Table {
  const values = new Float64Array(ended.length).fill(Number.NaN);
  return { series: ended, epoch: epoch + BigInt(offsets.at(-1) ?? 0), offsets: new Float64Array(1), values };
}
