import type { Series } from './series.js';

/** Measurements of some series at some instants. Immutable once passed on. */
export interface Table {
  /** The columns. The same array object for as long as the set of series is unchanged. */
  readonly series: readonly Series[];
  /** Unix time in nanoseconds of offset 0. */
  readonly epoch: bigint;
  /** The rows: nanoseconds after `epoch`, whole numbers, ascending. */
  readonly offsets: Float64Array;
  /** Row-major: values[row * series.length + column]. NaN: no reading. */
  readonly values: Float64Array;
  /** Series that will have no further row; they need not be among the columns, and a table may have no rows. */
  readonly ended?: readonly Series[];
}

/** A table of one row at the Unix time `at`, in nanoseconds. */
export function createRow(series: readonly Series[], at: bigint, values: Float64Array): Table {
  return { series, epoch: at, offsets: new Float64Array(1), values };
}

/** A table without rows that says which series have ended. */
export function createEnding(ended: readonly Series[], at: bigint): Table {
  return { series: [], epoch: at, offsets: new Float64Array(0), values: new Float64Array(0), ended };
}

/**
 * How long after its last row OTLP has the point that ends a series: a series has one point per instant, also where
 * instants are milliseconds, as in Prometheus.
 */
export const endDelayNs = 1_000_000n;

/** How many points a table holds, gaps (NaN) included. */
export function countPoints(table: Table): number {
  return table.values.length;
}
