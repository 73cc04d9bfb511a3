import type { LineFormat } from '../../src/export/line-batcher.js';
import type { HistogramRow } from '../../src/model/histogram-table.js';
import { createPlans } from '../../src/model/plan.js';
import type { AnySeries } from '../../src/model/series.js';
import { cumulate } from '../../src/prometheus/histogram-buckets.js';
import { intText } from '../../src/recording/cell-text.js';

// https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/

/**
 * Lines of InfluxDB in the Collector's schema `telegraf-prometheus-v1`: the measurement is the metric, the tags
 * are all attributes, and the field name is the kind of the value.
 */
export const lineProtocol: LineFormat = {
  describeSeries(series) {
    const { kind, valueType } = series.metric;
    const field = kind === 'counter' ? 'counter' : 'gauge';
    return {
      text: `${seriesText(series)} ${field}=`,
      formatValue: valueType === 'int' ? formatInt : formatDouble,
    };
  },
  endRow: (unixNs) => ` ${unixNs}\n`,
  formatHistogram(series, unixNs, row) {
    return `${seriesText(series)} ${formatFields(row)} ${unixNs}\n`;
  },
};

/** InfluxDB has no infinity. */
function formatDouble(value: number): string | undefined {
  return Number.isFinite(value) ? String(value) : undefined;
}

function formatInt(value: number): string | undefined {
  return Number.isFinite(value) ? `${intText(value)}i` : undefined;
}

/** Count, sum, and for each bound the number of values that are less or equal. */
function formatFields({ count, sum, layout, buckets }: HistogramRow): string {
  const fields = [`count=${count}`, ...(Number.isFinite(sum) ? [`sum=${sum}`] : [])];
  for (const [bound, counted] of cumulate(layout, buckets)) fields.push(`${bound}=${counted}`);
  return [...fields, `+Inf=${count}`].join(',');
}

/** The measurement and the tags, sorted by name as InfluxDB recommends; empty tags are not allowed. */
const seriesText = createPlans(({ metric, resource, attributes }: AnySeries): string => {
  const tags = Object.entries({ ...resource.attributes, ...attributes })
    .map(([name, value]) => [escapeText(name, tagSpecial), escapeText(String(value), tagSpecial)] as const)
    .filter(([name, value]) => name !== '' && value !== '')
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return [
    escapeText(metric.name, measurementSpecial),
    ...tags.map(([name, value]) => `${name}=${value}`),
  ].join(',');
});

const measurementSpecial = /[, ]/gu;
const tagSpecial = /[,= ]/gu;

/** Line feeds cannot be escaped, and a backslash at the end would escape the next character. */
function escapeText(text: string, special: RegExp): string {
  return text
    .replaceAll(/[\n\r]+/gu, ' ')
    .replace(/\\+$/u, '')
    .replaceAll(special, String.raw`\$&`);
}
