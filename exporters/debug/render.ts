import { escapeControls } from '../../src/component/output.js';
import { HistogramRow, type HistogramLayout, type HistogramTable } from '../../src/model/histogram-table.js';
import type { AnySeries, Attributes, Series } from '../../src/model/series.js';
import { readValue, timeOf, type Table } from '../../src/model/table.js';

/** One line with the number of series, values and endings. */
export function renderBasic(table: Table): string {
  const gaps = table.values.filter(Number.isNaN).length;
  const counts = [
    count(table.series.length, 'series', 'series'),
    count(table.offsets.length, 'row'),
    count(table.values.length, 'point'),
    count(gaps, 'gap'),
    `${table.ended?.length ?? 0} ended`,
  ];
  return `table at ${describeInstant(table.epoch)}: ${counts.join(', ')}\n`;
}

/** A line for each value and each ending. */
export function renderNormal(table: Table): string {
  const units = table.series.map(({ metric }) => metric.unit);
  const names = table.series.map(describeSeries);
  const lines = Array.from(table.values, (value, cell) => {
    const [row, column] = [Math.floor(cell / names.length), cell % names.length];
    return `${describeInstant(timeOf(table, row))} ${names[column]} ${describeValue(value)} ${units[column]}\n`;
  });
  return lines.join('') + renderEnded(table);
}

/** Everything known about each series, and its values. */
export function renderDetailed(table: Table): string {
  const columns = table.series.map((series, column) => renderSeries(series) + renderValues(table, column));
  return renderBasic(table) + columns.join('') + renderEnded(table);
}

/** One line with the number of histograms. */
export function renderBasicHistograms(table: HistogramTable): string {
  const gaps = table.counts.filter(Number.isNaN).length;
  const counts = [count(table.series.length, 'row'), count(gaps, 'gap'), `${table.ended?.length ?? 0} ended`];
  return `histograms at ${describeInstant(table.epoch)}: ${counts.join(', ')}\n`;
}

/** A line for each histogram, with its counts by bucket, and for each ending. */
export function renderHistograms(table: HistogramTable): string {
  const row = new HistogramRow();
  const lines = table.series.map((series, number) => {
    const { count: counted, sum, min, max, layout, buckets } = row.read(table, number);
    const at = `${describeInstant(timeOf(table, number))} ${describeSeries(series)}`;
    if (Number.isNaN(counted)) return `${at} (gap)\n`;
    const figures = Object.entries({ sum, min, max }).filter(([, value]) => !Number.isNaN(value));
    const texts = figures.map(([name, value]) => `, ${name} ${value}`);
    return `${at} ${count(counted, 'value')}${texts.join('')} ${series.metric.unit}: ${describeBuckets(layout, buckets)}\n`;
  });
  return lines.join('') + renderEnded(table);
}

function describeBuckets(layout: HistogramLayout, buckets: Float64Array): string {
  if (buckets.length === 0) return 'no buckets';
  if (layout.kind === 'histogram')
    return Array.from(buckets, (value, i) => `${value} <= ${layout.bounds[i] ?? 'Inf'}`).join(', ');
  const { scale, positiveOffset, positiveCount, negativeOffset } = layout;
  const [zero, ...sides] = buckets;
  const positive = sides.slice(0, positiveCount).join(' ');
  const negative = sides.slice(positiveCount).join(' ');
  return `scale ${scale}, ${zero} zero, from index ${positiveOffset} [${positive}], negative from index ${negativeOffset} [${negative}]`;
}

function renderValues(table: Table, column: number): string {
  const lines = Array.from(table.offsets, (_, row) => {
    const value = readValue(table, row, column);
    return `    ${describeInstant(timeOf(table, row))} ${describeValue(value)}\n`;
  });
  return lines.join('');
}

function renderSeries({ metric, resource, attributes, start }: Series): string {
  const { name, kind, valueType, unit, description } = metric;
  return [
    `  ${name} (${kind}, ${valueType}, ${unit}): ${description}\n`,
    `    attributes ${describeAttributes(attributes)}\n`,
    `    resource ${describeAttributes(resource.attributes)}\n`,
    `    since ${describeInstant(start)}\n`,
  ].join('');
}

function renderEnded({ ended = [] }: { readonly ended?: readonly AnySeries[] }): string {
  return ended.map((series) => `ended ${describeSeries(series)}\n`).join('');
}

/** Includes the attributes by which its resource differs from others on this machine. */
function describeSeries({ metric, attributes, resource }: AnySeries): string {
  const owner = Object.fromEntries(
    Object.entries(resource.attributes).filter(([name]) => !/^(host|os)\./.test(name)),
  );
  const of = Object.keys(owner).length === 0 ? '' : ` of ${describeAttributes(owner)}`;
  return `${metric.name}${describeAttributes(attributes)}${of}`;
}

function describeAttributes(attributes: Attributes): string {
  const pairs = Object.entries(attributes).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return escapeControls(`{${pairs.join(', ')}}`);
}

function describeValue(value: number): string {
  return Number.isNaN(value) ? '(gap)' : String(value);
}

/** Unix time in nanoseconds, as ISO 8601 with all nine digits. */
function describeInstant(at: bigint): string {
  const seconds = new Date(Number(at / 1_000_000_000n) * 1000).toISOString().slice(0, -'.000Z'.length);
  return `${seconds}.${String(at % 1_000_000_000n).padStart(9, '0')}Z`;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
