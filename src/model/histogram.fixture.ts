import {
  HistogramRow,
  HistogramRows,
  type ExplicitLayout,
  type ExponentialLayout,
  type HistogramTable,
} from './histogram-table.js';
import type { Attributes, HistogramSeries } from './series.js';

/** A series of histograms for tests. */
export function histogramOf(
  changes: Partial<HistogramSeries> & { readonly name?: string } = {},
): HistogramSeries {
  const { name = 'http.server.request.duration', ...others } = changes;
  return {
    metric: { name, unit: 's', description: 'Duration of requests', kind: 'histogram' },
    resource: { attributes: { 'service.name': 'shop' } },
    attributes: {},
    start: 1_000n,
    ...others,
  };
}

/** The same with exponential buckets. */
export function exponentialOf(attributes: Attributes = {}): HistogramSeries {
  const series = histogramOf({ attributes });
  return { ...series, metric: { ...series.metric, name: 'rpc.duration', kind: 'exponential_histogram' } };
}

/** Up to 0.1, up to 1, above. */
export const twoBounds: ExplicitLayout = { kind: 'histogram', bounds: Float64Array.of(0.1, 1) };

/** Factor 2: a zero bucket, positive buckets (1, 2], (2, 4] and (4, 8], and a negative one from -1 to -0.5. */
export const powersOfTwo: ExponentialLayout = {
  kind: 'exponential_histogram',
  scale: 0,
  zeroThreshold: 0,
  positiveOffset: 0,
  positiveCount: 3,
  negativeOffset: -1,
  negativeCount: 1,
};

/** A row by its buckets, which add up to its count. */
export function rowOf(buckets: readonly number[], changes: Partial<HistogramRow> = {}): HistogramRow {
  const count = buckets.reduce((sum, one) => sum + one, 0);
  return Object.assign(
    new HistogramRow(),
    { layout: twoBounds, buckets: Float64Array.from(buckets), count },
    changes,
  );
}

/** A table of rows at Unix times in nanoseconds. */
export function histogramTable(
  rows: readonly (readonly [series: HistogramSeries, at: number, row: HistogramRow])[],
  ended?: readonly HistogramSeries[],
): HistogramTable {
  const table = new HistogramRows();
  for (const [series, at, row] of rows) table.add(series, at, row);
  return { ...table.take(0n), ...(ended && { ended }) };
}
