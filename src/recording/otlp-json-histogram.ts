import { bucketless, HistogramRow, type HistogramLayout } from '../model/histogram-table.js';
import type { HistogramKind } from '../model/series.js';
import { doubleOf, hasNoValue, objectOf, wholeOf, type JsonObject } from './otlp-json.js';

/** A histogram of OTLP JSON. Its buckets are not validated against bounds and count. */
export function readJsonHistogram(point: JsonObject, kind: HistogramKind): HistogramRow {
  const row = new HistogramRow();
  if (hasNoValue(point)) return row.clear(kind === 'histogram' ? bucketless : readExponential(point).layout);
  row.count = wholeOf(point['count']) ?? 0;
  row.sum = optionalOf(point['sum']);
  row.min = optionalOf(point['min']);
  row.max = optionalOf(point['max']);
  return Object.assign(row, kind === 'histogram' ? readExplicit(point) : readExponential(point));
}

interface Buckets {
  readonly layout: HistogramLayout;
  readonly buckets: Float64Array;
}

function readExplicit(point: JsonObject): Buckets {
  const bounds = listOf(point['explicitBounds'] ?? point['explicit_bounds']).map(doubleOf);
  const counts = listOf(point['bucketCounts'] ?? point['bucket_counts']).map(countOf);
  const layout =
    bounds.length === 0 ? bucketless : ({ kind: 'histogram', bounds: Float64Array.from(bounds) } as const);
  return { layout, buckets: Float64Array.from(counts) };
}

function readExponential(point: JsonObject): Buckets {
  const positive = readSide(point['positive']);
  const negative = readSide(point['negative']);
  const threshold = point['zeroThreshold'] ?? point['zero_threshold'];
  return {
    layout: {
      kind: 'exponential_histogram',
      scale: wholeOf(point['scale']) ?? 0,
      zeroThreshold: threshold === undefined || threshold === null ? 0 : doubleOf(threshold),
      positiveOffset: positive.offset,
      positiveCount: positive.counts.length,
      negativeOffset: negative.offset,
      negativeCount: negative.counts.length,
    },
    buckets: Float64Array.from([
      wholeOf(point['zeroCount'] ?? point['zero_count']) ?? 0,
      ...positive.counts,
      ...negative.counts,
    ]),
  };
}

function readSide(value: unknown): { readonly offset: number; readonly counts: readonly number[] } {
  const side = objectOf(value);
  const counts = listOf(side['bucketCounts'] ?? side['bucket_counts']).map(countOf);
  return { offset: wholeOf(side['offset']) ?? 0, counts };
}

/** An invalid count makes the sum of counts invalid. */
function countOf(value: unknown): number {
  return wholeOf(value) ?? NaN;
}

function optionalOf(value: unknown): number {
  return value === undefined || value === null ? NaN : doubleOf(value);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
