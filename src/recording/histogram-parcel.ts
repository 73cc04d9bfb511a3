import type { HistogramLayout, HistogramTable } from '../model/histogram-table.js';
import { createPlans } from '../model/plan.js';
import type { HistogramSeries } from '../model/series.js';

/** A table of histograms in a message to another thread. */
export interface PackedHistograms {
  /** The series number of each row. */
  readonly series: Float64Array<ArrayBuffer>;
  readonly offsets: Float64Array<ArrayBuffer>;
  readonly counts: Float64Array<ArrayBuffer>;
  readonly sums: Float64Array<ArrayBuffer>;
  readonly minima: Float64Array<ArrayBuffer>;
  readonly maxima: Float64Array<ArrayBuffer>;
  /** Rows with the same layout share one object, also on the other side. */
  readonly layouts: readonly HistogramLayout[];
  readonly buckets: Float64Array<ArrayBuffer>;
  readonly bucketsFrom: Uint32Array<ArrayBuffer>;
}

/** Copies a table, since other consumers have it, too. */
export function packHistograms(
  table: HistogramTable,
  numberOf: (series: HistogramSeries) => number,
): PackedHistograms {
  return {
    series: Float64Array.from(table.series, numberOf),
    offsets: Float64Array.from(table.offsets),
    counts: Float64Array.from(table.counts),
    sums: Float64Array.from(table.sums),
    minima: Float64Array.from(table.minima),
    maxima: Float64Array.from(table.maxima),
    layouts: table.layouts.map(plainLayout),
    buckets: Float64Array.from(table.buckets),
    bucketsFrom: Uint32Array.from(table.bucketsFrom),
  };
}

/** A list of bounds may be a view of a larger buffer, which would be copied completely. */
const plainLayout = createPlans((layout: HistogramLayout): HistogramLayout =>
  layout.kind === 'histogram' ? { ...layout, bounds: Float64Array.from(layout.bounds) } : layout,
);

/** The buffers that can be transferred with such a message. */
export function buffersOfHistograms(packed: PackedHistograms): ArrayBuffer[] {
  const { series, offsets, counts, sums, minima, maxima, buckets, bucketsFrom } = packed;
  return [series, offsets, counts, sums, minima, maxima, buckets, bucketsFrom].map(({ buffer }) => buffer);
}

/** The table, without ended series. */
export function unpackHistograms(
  { series, ...rest }: PackedHistograms,
  epoch: bigint,
  find: (number: number) => HistogramSeries,
): HistogramTable {
  return { ...rest, series: Array.from(series, find), epoch };
}
