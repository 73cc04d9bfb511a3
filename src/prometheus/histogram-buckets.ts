import { limitBuckets, upperBound } from '../model/add-histograms.js';
import type { HistogramLayout } from '../model/histogram-table.js';
import type { Attributes } from '../model/series.js';
import { formatValue } from './names.js';

/** Maximum buckets of an exponential histogram on each side of zero: each is a series of Prometheus. */
const maxExponentialBuckets = 32;

/** Attributes of a histogram, without the label `le`, which is reserved for its buckets. */
export function freeBucketLabel({ le, ...attributes }: Attributes): Attributes {
  return le === undefined ? attributes : { ...attributes, exported_le: le };
}

/** The cumulative count for each bound, without infinity. */
export function cumulate(
  layout: HistogramLayout,
  buckets: Float64Array,
): readonly (readonly [bound: number, count: number])[] {
  if (layout.kind === 'exponential_histogram') return cumulateExponential(layout, buckets);
  if (buckets.length === 0) return [];
  let sum = 0;
  return Array.from(layout.bounds, (bound, i) => [bound, (sum += buckets[i] ?? 0)]);
}

function cumulateExponential(
  layout: Extract<HistogramLayout, { readonly kind: 'exponential_histogram' }>,
  all: Float64Array,
): readonly (readonly [bound: number, count: number])[] {
  const limited = limitBuckets(layout, all, maxExponentialBuckets);
  const { scale, zeroThreshold, positiveOffset, positiveCount, negativeOffset, negativeCount } =
    limited.layout;
  const [zero = 0, ...counts] = limited.buckets;
  const lines: [number, number][] = [];
  let sum = 0;
  const add = (bound: number, count = 0) => {
    sum += count;
    if (Number.isFinite(bound)) lines.push([bound, sum]);
  };
  for (let i = negativeCount - 1; i >= 0; i -= 1)
    add(-upperBound(scale, negativeOffset + i - 1), counts[positiveCount + i]);
  add(zeroThreshold, zero);
  for (let i = 0; i < positiveCount; i += 1) add(upperBound(scale, positiveOffset + i), counts[i]);
  return lines;
}

/** In the format of client libraries: whole numbers have a decimal point in OpenMetrics. */
export function formatBound(bound: number, isOpenMetrics: boolean): string {
  const text = formatValue(bound);
  return isOpenMetrics && /^-?\d+$/u.test(text) ? `${text}.0` : text;
}
