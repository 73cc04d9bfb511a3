import type { RequestLimits } from '../export/queued-exporter.js';
import { findOrAdd } from '../model/plan.js';
import type { Series } from '../model/series.js';
import type { Table } from '../model/table.js';
import { scopeField, seriesTemplate, type SeriesTemplate } from './templates.js';

/** A column of a table. */
export interface Column {
  /** Its index in the table. */
  readonly index: number;
  readonly series: Series;
  readonly template: SeriesTemplate;
}

/** Maximum bytes of tags and lengths around a metric's points, and around a resource's metrics. */
const metricOverheadBytes = 12;
const resourceOverheadBytes = 18;

/** The columns of a table, sorted so that those of the same resource and of the same metric are adjacent. */
export function orderColumns(series: readonly Series[]): readonly Column[] {
  const resources = new Map<string, Map<string, Column[]>>();
  for (const [index, one] of series.entries()) {
    const template = seriesTemplate(one);
    const metrics = findOrAdd(resources, template.resource.key, () => new Map<string, Column[]>());
    const columns = findOrAdd(metrics, template.metric.key, (): Column[] => []);
    columns.push({ index, series: one, template });
  }
  return [...resources.values()].flatMap((metrics) => [...metrics.values()].flat());
}

/** Columns of which one row fits into a request. */
export interface ColumnRun {
  readonly columns: Column[];
  /** Bytes of the points of one row. */
  rowBytes: number;
  /** Maximum bytes that a request needs around these points. */
  frameBytes: number;
}

/** Divides columns into runs. A single column is kept, whatever its length. */
export function splitColumns(columns: readonly Column[], limits: RequestLimits): readonly ColumnRun[] {
  const runs: ColumnRun[] = [];
  let run: ColumnRun | undefined;
  for (const column of columns) {
    const rowBytes = column.template.point.bytes.length;
    const frameBytes = frameBytesOf(column, run?.columns.at(-1));
    if (run === undefined || isFull(run, limits, rowBytes + frameBytes)) {
      run = { columns: [column], rowBytes, frameBytes: frameBytesOf(column, undefined) };
      runs.push(run);
    } else {
      run.columns.push(column);
      run.rowBytes += rowBytes;
      run.frameBytes += frameBytes;
    }
  }
  return runs;
}

function isFull(run: ColumnRun, { maxPoints, maxBytes }: RequestLimits, addedBytes: number): boolean {
  return run.columns.length >= maxPoints || run.rowBytes + run.frameBytes + addedBytes > maxBytes;
}

/** Maximum bytes that a column needs around its points when it follows another one. */
function frameBytesOf({ template }: Column, previous: Column | undefined): number {
  const { metric, resource } = template;
  if (resource.key !== previous?.template.resource.key) return frameOverheadBytes(template);
  return metric.key === previous.template.metric.key ? 0 : metricBytesOf(metric);
}

/** Maximum bytes that a request needs around the points of a new metric and resource. */
export function frameOverheadBytes({
  metric,
  resource,
}: Pick<SeriesTemplate, 'metric' | 'resource'>): number {
  return metricBytesOf(metric) + resource.head.length + scopeField.length + resourceOverheadBytes;
}

function metricBytesOf({ head, tail }: SeriesTemplate['metric']): number {
  return head.length + tail.length + metricOverheadBytes;
}

/** Some rows of a table. */
export interface Rows {
  readonly values: Float64Array;
  /** Number of columns of the table. */
  readonly width: number;
  /** For every row of the table, the low and the high half of its Unix time in nanoseconds. */
  readonly times: Uint32Array;
  /** For deltas, the two halves of the start of every cell of the table, instead of the starts of the series. */
  readonly starts?: Uint32Array;
  readonly first: number;
  readonly count: number;
  /** Whether a value of these rows is NaN. */
  readonly hasGaps: boolean;
}

const half = 2 ** 32;

/** All rows of a table. */
export function createRows({ series, epoch, offsets, values }: Table): Rows {
  const times = splitTimes(epoch, offsets);
  return {
    values,
    width: series.length,
    times,
    first: 0,
    count: offsets.length,
    hasGaps: hasGap(values, 0, values.length),
  };
}

/** A range of these rows. */
export function sliceRows(rows: Rows, first: number, count: number): Rows {
  if (first === 0 && count === rows.count) return rows;
  const { values, width } = rows;
  const hasGaps = rows.hasGaps && hasGap(values, first * width, (first + count) * width);
  return { ...rows, first, count, hasGaps };
}

/** The sum of a 64-bit epoch and of doubles, exact and without a BigInt per row. */
export function splitTimes(epoch: bigint, offsets: Float64Array): Uint32Array {
  const epochLow = Number(BigInt.asUintN(32, epoch));
  const epochHigh = Number(BigInt.asUintN(32, epoch >> 32n));
  const times = new Uint32Array(offsets.length * 2);
  offsets.forEach((offset, row) => {
    const offsetHigh = Math.floor(offset / half);
    const low = epochLow + (offset - offsetHigh * half);
    // Storing into 32 bits drops the carry.
    times[row * 2] = low;
    times[row * 2 + 1] = epochHigh + offsetHigh + (low >= half ? 1 : 0);
  });
  return times;
}

function hasGap(values: Float64Array, from: number, to: number): boolean {
  for (let cell = from; cell < to; cell += 1) if (Number.isNaN(values[cell])) return true;
  return false;
}
