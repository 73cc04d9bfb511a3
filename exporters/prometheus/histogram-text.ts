import { limitBuckets, upperBound } from '../../src/model/add-histograms.js';
import { HistogramRow, type HistogramLayout } from '../../src/model/histogram-table.js';
import { formatValue } from './block.js';
import type { HistogramFamily, ShownHistogram } from './histograms.js';

/** Exponential histograms have at most this many buckets on each side of zero: each is a series of Prometheus. */
const maxExponentialBuckets = 32;

const row = new HistogramRow();

/** The lines of a histogram, those of one series together as OpenMetrics wants them. */
export function renderHistogram(
  { family }: HistogramFamily,
  { series, labels, table, row: number }: ShownHistogram,
  { isOpenMetrics, hasStart }: { readonly isOpenMetrics: boolean; readonly hasStart: boolean },
): string {
  const { count, sum, layout, buckets } = row.read(table, number);
  const own = labels === '' ? '' : `{${labels}}`;
  const start = labels === '' ? `${family}_bucket{le="` : `${family}_bucket{${labels},le="`;
  let text = '';
  for (const [bound, counted] of cumulate(layout, buckets))
    text += `${start}${formatBound(bound, isOpenMetrics)}"} ${counted}\n`;
  text += `${start}+Inf"} ${count}\n`;
  if (!Number.isNaN(sum)) text += `${family}_sum${own} ${formatValue(sum)}\n`;
  text += `${family}_count${own} ${count}\n`;
  return hasStart ? `${text}${family}_created${own} ${Number(series.start / 1_000_000n) / 1000}\n` : text;
}

/** How many values are at most as large as each bound, without that of infinity. */
function cumulate(
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

/** As client libraries write it: whole numbers have a point in OpenMetrics. */
function formatBound(bound: number, isOpenMetrics: boolean): string {
  const text = formatValue(bound);
  return isOpenMetrics && /^-?\d+$/u.test(text) ? `${text}.0` : text;
}
