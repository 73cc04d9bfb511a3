import type { Series } from '../model/series.js';
import type { Rows } from './columns.js';
import type { ColumnsPlan, MetricPlan, ResourcePlan } from './table-plan.js';
import {
  gapTemplate,
  metricLength,
  seriesTemplate,
  startBeforeTime,
  valueAfterTime,
  writeMetricEnd,
  writeMetricStart,
} from './templates.js';
import { writeMessageStart } from './wire.js';

const half = 2 ** 32;
const minInt64 = -(2 ** 63);
/** The largest double below 2^63. */
const maxInt64 = 2 ** 63 - 1024;

/** Number of bytes of a resource's metrics for these rows, as repeated `metrics` of a ScopeMetrics. */
export function metricsLength(plan: ColumnsPlan, resource: ResourcePlan, rows: Rows): number {
  if (isOneWholeRow(rows)) return resource.skeleton.length;
  let length = 0;
  for (const metric of resource.metrics) {
    length += metricLength(metric.frame, pointsLength(plan, metric, rows));
  }
  return length;
}

/** Writes a request of known length, from its first byte to its last. */
export class RequestWriter {
  readonly bytes: Buffer;
  readonly #view: DataView;
  #at = 0;

  /** @param bytes exactly the length of the request */
  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Starts a message of this length. */
  writeStart(tag: number, length: number): void {
    this.#at = writeMessageStart(this.bytes, this.#at, tag, length);
  }

  /** Copies an encoded field. */
  writeField(field: Uint8Array): void {
    this.bytes.set(field, this.#at);
    this.#at += field.length;
  }

  /** Writes the metrics of a resource for these rows. */
  writeMetrics(plan: ColumnsPlan, resource: ResourcePlan, rows: Rows): void {
    if (isOneWholeRow(rows)) this.#writeOneRow(plan, resource, rows);
    else for (const metric of resource.metrics) this.#writeMetric(plan, resource, metric, rows);
  }

  /** Many resources with few points each, as in a scan of processes: all their metrics in one copy. */
  #writeOneRow(plan: ColumnsPlan, { skeleton, firstPoint, endPoint }: ResourcePlan, rows: Rows): void {
    this.bytes.set(skeleton, this.#at);
    this.#fillRow(plan, { firstPoint, endPoint, row: rows.first, skeletonAt: this.#at }, rows);
    this.#at += skeleton.length;
  }

  #writeMetric(plan: ColumnsPlan, { skeleton }: ResourcePlan, metric: MetricPlan, rows: Rows): void {
    const { frame, rowFrom, rowTo } = metric;
    const length = pointsLength(plan, metric, rows);
    this.#at = writeMetricStart(this.bytes, this.#at, frame, length);
    if (length < (rowTo - rowFrom) * rows.count) {
      this.#writePointsWithGaps(plan, metric, rows);
    } else {
      repeat(skeleton.subarray(rowFrom, rowTo), this.bytes, this.#at, rows.count);
      this.#fillRows(plan, metric, rows);
    }
    this.#at = writeMetricEnd(this.bytes, this.#at, frame);
  }

  #fillRows(plan: ColumnsPlan, { firstPoint, endPoint, rowFrom, rowTo }: MetricPlan, rows: Rows): void {
    for (let row = rows.first; row < rows.first + rows.count; row += 1) {
      this.#fillRow(plan, { firstPoint, endPoint, row, skeletonAt: this.#at - rowFrom }, rows);
      this.#at += rowTo - rowFrom;
    }
  }

  /** Fills in instants and values of points that were copied from a skeleton. */
  #fillRow(plan: ColumnsPlan, range: PointRange, rows: Rows): void {
    const { timesAt, columns, areInts } = plan;
    const { firstPoint, endPoint, row, skeletonAt } = range;
    const firstCell = row * rows.width;
    const low = rows.times[2 * row];
    const high = rows.times[2 * row + 1];
    const view = this.#view;
    for (let point = firstPoint; point < endPoint; point += 1) {
      const timeAt = skeletonAt + timesAt[point];
      view.setUint32(timeAt, low, true);
      view.setUint32(timeAt + 4, high, true);
      setValue(view, timeAt + valueAfterTime, areInts[point] === 1, rows.values[firstCell + columns[point]]);
    }
    if (rows.starts !== undefined) this.#fillStarts(plan, range, rows);
  }

  /** Deltas have the instant of the previous point as their start. */
  #fillStarts({ timesAt, columns }: ColumnsPlan, range: PointRange, { width, starts }: Rows): void {
    const { firstPoint, endPoint, row, skeletonAt } = range;
    if (starts === undefined) return;
    for (let point = firstPoint; point < endPoint; point += 1) {
      const startAt = skeletonAt + timesAt[point] - startBeforeTime;
      const cell = 2 * (row * width + columns[point]);
      this.#view.setUint32(startAt, starts[cell], true);
      this.#view.setUint32(startAt + 4, starts[cell + 1], true);
    }
  }

  #writePointsWithGaps(plan: ColumnsPlan, { firstPoint, endPoint }: MetricPlan, rows: Rows): void {
    for (let row = rows.first; row < rows.first + rows.count; row += 1) {
      for (let point = firstPoint; point < endPoint; point += 1) this.#writePoint(plan, point, row, rows);
    }
  }

  #writePoint(plan: ColumnsPlan, point: number, row: number, { values, width, times }: Rows): void {
    const value = values[row * width + plan.columns[point]];
    const isGap = Number.isNaN(value);
    const series = plan.series[point];
    const { bytes, timeAt } = isGap ? gapTemplate(series) : seriesTemplate(series).point;
    this.bytes.set(bytes, this.#at);
    this.#view.setUint32(this.#at + timeAt, times[2 * row], true);
    this.#view.setUint32(this.#at + timeAt + 4, times[2 * row + 1], true);
    const valueAt = this.#at + timeAt + valueAfterTime;
    if (!isGap) setValue(this.#view, valueAt, plan.areInts[point] === 1, value);
    this.#at += bytes.length;
  }
}

interface PointRange {
  readonly firstPoint: number;
  readonly endPoint: number;
  readonly row: number;
  /** Where the skeleton of the resource would start. */
  readonly skeletonAt: number;
}

function isOneWholeRow(rows: Rows): boolean {
  return rows.count === 1 && !rows.hasGaps;
}

/** A point without a value is shorter than one with a value. */
function pointsLength(plan: ColumnsPlan, metric: MetricPlan, rows: Rows): number {
  const length = (metric.rowTo - metric.rowFrom) * rows.count;
  if (!rows.hasGaps) return length;
  let saved = 0;
  for (let point = metric.firstPoint; point < metric.endPoint; point += 1) {
    const gaps = countGaps(rows, plan.columns[point]);
    if (gaps > 0) saved += gaps * bytesSavedByGap(plan.series[point]);
  }
  return length - saved;
}

function countGaps({ values, width, first, count }: Rows, column: number): number {
  let gaps = 0;
  for (let row = first; row < first + count; row += 1) {
    if (Number.isNaN(values[row * width + column])) gaps += 1;
  }
  return gaps;
}

function bytesSavedByGap(series: Series): number {
  return seriesTemplate(series).point.bytes.length - gapTemplate(series).bytes.length;
}

/** Writes repeated copies of some bytes, with doubling block size. */
function repeat(bytes: Uint8Array, target: Buffer, at: number, count: number): void {
  target.set(bytes, at);
  const end = at + bytes.length * count;
  for (let filled = bytes.length; at + filled < end; filled *= 2) {
    target.copyWithin(at + filled, at, Math.min(at + filled, end - filled));
  }
}

/** Integers are exact up to 2^53, like doubles, and are clamped to 64 bits. */
function setValue(view: DataView, at: number, isInt: boolean, value: number): void {
  if (!isInt) {
    view.setFloat64(at, value, true);
    return;
  }
  const whole = Math.max(minInt64, Math.min(maxInt64, Math.round(value)));
  const high = Math.floor(whole / half);
  view.setUint32(at, whole - high * half, true);
  view.setInt32(at + 4, high, true);
}
