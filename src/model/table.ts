import type { Series } from './series.js';

/** Measurements of some series at some instants. Immutable once forwarded. */
export interface Table {
  /** The columns. The same array object as long as the set of series is unchanged. */
  readonly series: readonly Series[];
  /** Unix time in nanoseconds of offset 0. */
  readonly epoch: bigint;
  /** The rows: nanoseconds after `epoch`, whole numbers, ascending. */
  readonly offsets: Float64Array;
  /** Row-major: values[row * series.length + column]. NaN: no reading. */
  readonly values: Float64Array;
  /** Series without further rows; they need not be among the columns, and such a table may have no rows. */
  readonly ended?: readonly Series[];
}

/** A table of one row at the Unix time `at`, in nanoseconds. */
export function createRow(series: readonly Series[], at: bigint, values: Float64Array): Table {
  return { series, epoch: at, offsets: new Float64Array(1), values };
}

/** A table without rows that reports which series have ended. */
export function createEnding(ended: readonly Series[], at: bigint): Table {
  return { series: [], epoch: at, offsets: new Float64Array(0), values: new Float64Array(0), ended };
}

/**
 * Delay after the last row of the OTLP point that ends a series: a series has at most one point per instant,
 * also where instants are milliseconds, as in Prometheus.
 */
export const endDelayNs = 1_000_000n;

/** Number of points in a table, including gaps (NaN). */
export function countPoints(table: Table): number {
  return table.values.length;
}

/** Unix time in nanoseconds of an existing row. */
export function timeOf({ epoch, offsets }: Pick<Table, 'epoch' | 'offsets'>, row: number): bigint {
  return epoch + BigInt(offsets[row]);
}

/** The value of a cell; NaN: no reading. */
export function readValue({ series, values }: Table, row: number, column: number): number {
  return values[row * series.length + column];
}

/** The last row with a reading in a column; -1 if there is none. */
export function findLatestRow({ series, values, offsets }: Table, column: number): number {
  let row = offsets.length - 1;
  while (row >= 0 && Number.isNaN(values[row * series.length + column])) row -= 1;
  return row;
}

/** The latest reading of a column; NaN if there is none. */
export function readLatest(table: Table, column: number): number {
  const row = findLatestRow(table, column);
  return row < 0 ? NaN : readValue(table, row, column);
}

/** A copy of the last row, without ended series; undefined if the table has no rows. */
export function copyLastRow(table: Table): Table | undefined {
  const { series, offsets, values } = table;
  const last = offsets.length - 1;
  if (last < 0) return undefined;
  return createRow(series, timeOf(table, last), values.slice(last * series.length));
}

/** The table with only these rows, in this order. The list of ended series is not copied. */
export function selectRows({ series, epoch, offsets, values }: Table, rows: readonly number[]): Table {
  const width = series.length;
  const kept = new Float64Array(rows.length * width);
  for (const [to, row] of rows.entries()) {
    kept.set(values.subarray(row * width, (row + 1) * width), to * width);
  }
  return { series, epoch, offsets: Float64Array.from(rows, (row) => offsets[row]), values: kept };
}

/** Some columns of tables with one array of series. */
export interface Selection {
  readonly columns: readonly number[];
  /** The series of these columns, in order. */
  readonly series: readonly Series[];
}

/** The columns of the series for which `isKept` returns true; the array itself if it does for all. */
export function createSelection(series: readonly Series[], isKept: (series: Series) => boolean): Selection {
  const columns = [...series.keys()].filter((column) => isKept(series[column]));
  return {
    columns,
    series: columns.length === series.length ? series : columns.map((column) => series[column]),
  };
}

/**
 * The table with only these columns; without any, it has no rows. Its values are copied. The list of ended
 * series is not.
 */
export function selectColumns({ series: all, epoch, offsets, values }: Table, selection: Selection): Table {
  const { columns, series } = selection;
  const rows = columns.length === 0 ? 0 : offsets.length;
  const kept = new Float64Array(rows * columns.length);
  for (let row = 0, to = 0; row < rows; row++) {
    for (const column of columns) kept[to++] = values[row * all.length + column];
  }
  return { series, epoch, offsets: rows === 0 ? new Float64Array(0) : offsets, values: kept };
}
