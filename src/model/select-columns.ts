import type { Series } from './series.js';
import type { Table } from './table.js';

/** Some columns of the tables with one array of series. */
export interface Selection {
  readonly columns: readonly number[];
  /** Of these columns, in order. */
  readonly series: readonly Series[];
}

/** The columns of the series for which `isKept` is true; the array itself where it is true for all of them. */
export function createSelection(series: readonly Series[], isKept: (series: Series) => boolean): Selection {
  const columns = [...series.keys()].filter((column) => isKept(series[column]));
  return {
    columns,
    series: columns.length === series.length ? series : columns.map((column) => series[column]),
  };
}

/** The table with only these columns; without any, it has no rows. What has ended is not carried over. */
export function selectColumns({ series: all, epoch, offsets, values }: Table, selection: Selection) {
  const { columns, series } = selection;
  const rows = columns.length === 0 ? 0 : offsets.length;
  const kept = new Float64Array(rows * columns.length);
  for (let row = 0, to = 0; row < rows; row++) {
    for (const column of columns) kept[to++] = values[row * all.length + column];
  }
  return { series, epoch, offsets: rows === 0 ? new Float64Array(0) : offsets, values: kept };
}
