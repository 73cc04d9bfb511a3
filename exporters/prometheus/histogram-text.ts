import { HistogramRow } from '../../src/model/histogram-table.js';
import { cumulate, formatBound } from '../../src/prometheus/histogram-buckets.js';
import { formatValue } from '../../src/prometheus/names.js';
import type { HistogramFamily, ShownHistogram } from './histograms.js';

const row = new HistogramRow();

/** The lines of a histogram, grouped by series as OpenMetrics requires. */
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
  return hasStart && series.start !== 0n
    ? `${text}${family}_created${own} ${Number(series.start / 1_000_000n) / 1000}\n`
    : text;
}
