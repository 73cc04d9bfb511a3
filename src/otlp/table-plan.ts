import { elementAt } from '../element.js';
import type { RequestLimits } from '../export/queued-exporter.js';
import type { Series } from '../model/series.js';
import { orderColumns, splitColumns, type Column, type ColumnRun } from './columns.js';
import {
  metricLength,
  writeMetricEnd,
  writeMetricStart,
  type MetricFrame,
  type ResourceFrame,
} from './templates.js';

/** Columns of a table of which one row fits into one request, grouped by resource and metric. */
export interface ColumnsPlan {
  readonly resources: readonly ResourcePlan[];
  /** The series of each point of a row, in the order of the points. */
  readonly series: readonly Series[];
  /** The column in the table of each point. */
  readonly columns: Uint32Array;
  /** For each point, the offset of its instant in the skeleton of its resource. */
  readonly timesAt: Uint32Array;
  /** 1 for each point whose value is an integer. */
  readonly areInts: Uint8Array;
  /** Bytes of the points of one row. */
  readonly rowBytes: number;
  /** Maximum bytes that a request needs around these points. */
  readonly frameBytes: number;
}

/** The points of one metric of one resource in a row. */
export interface MetricPlan {
  readonly frame: MetricFrame;
  readonly firstPoint: number;
  readonly endPoint: number;
  /** Offset of the contiguous points in the skeleton of the resource. */
  readonly rowFrom: number;
  readonly rowTo: number;
}

/** The metrics of one resource. */
export interface ResourcePlan {
  readonly frame: ResourceFrame;
  readonly metrics: readonly MetricPlan[];
  readonly firstPoint: number;
  readonly endPoint: number;
  /** The metrics for one row, encoded with instants and values still to be filled in. */
  readonly skeleton: Buffer;
}

/** Computes once how the columns of a table become points. */
export function createTablePlan(series: readonly Series[], limits: RequestLimits): readonly ColumnsPlan[] {
  return splitColumns(orderColumns(series), limits).map(planColumns);
}

function planColumns({ columns, rowBytes, frameBytes }: ColumnRun): ColumnsPlan {
  const resources = splitRuns(columns, ({ template }) => template.resource).map((group) =>
    splitRuns(group, ({ template }) => template.metric),
  );
  const skeletonBytes = resources.flat().reduce((sum, metric) => sum + metricBytes(metric), 0);
  const writer = new SkeletonWriter(columns.length, skeletonBytes);
  return {
    resources: resources.map((metrics) => writer.addResource(metrics)),
    series: writer.series,
    columns: writer.columns,
    timesAt: writer.timesAt,
    areInts: writer.areInts,
    rowBytes,
    frameBytes,
  };
}

/** Writes the metrics of resources one after another. */
class SkeletonWriter {
  readonly series: Series[] = [];
  readonly columns: Uint32Array;
  readonly timesAt: Uint32Array;
  readonly areInts: Uint8Array;
  /** The part that is not written yet. */
  #rest: Buffer;
  #at = 0;

  constructor(points: number, length: number) {
    this.#rest = Buffer.allocUnsafe(length);
    this.columns = new Uint32Array(points);
    this.timesAt = new Uint32Array(points);
    this.areInts = new Uint8Array(points);
  }

  /** @param columns of one resource, grouped by metric */
  addResource(columns: readonly (readonly Column[])[]): ResourcePlan {
    const { template } = elementAt(elementAt(columns, 0), 0);
    const firstPoint = this.series.length;
    const metrics = columns.map((metric) => this.#addMetric(metric));
    const skeleton = this.#rest.subarray(0, this.#at);
    this.#rest = this.#rest.subarray(this.#at);
    this.#at = 0;
    return { frame: template.resource, metrics, firstPoint, endPoint: this.series.length, skeleton };
  }

  #addMetric(columns: readonly Column[]): MetricPlan {
    const frame = elementAt(columns, 0).template.metric;
    const firstPoint = this.series.length;
    const rowFrom = writeMetricStart(this.#rest, this.#at, frame, pointBytes(columns));
    this.#at = rowFrom;
    for (const column of columns) this.#addPoint(column);
    const rowTo = this.#at;
    this.#at = writeMetricEnd(this.#rest, rowTo, frame);
    return { frame, firstPoint, endPoint: this.series.length, rowFrom, rowTo };
  }

  #addPoint({ index, series, template: { point, metric } }: Column): void {
    const number = this.series.push(series) - 1;
    this.columns[number] = index;
    this.timesAt[number] = this.#at + point.timeAt;
    this.areInts[number] = metric.isInt ? 1 : 0;
    this.#rest.set(point.bytes, this.#at);
    this.#at += point.bytes.length;
  }
}

function metricBytes(columns: readonly Column[]): number {
  return metricLength(elementAt(columns, 0).template.metric, pointBytes(columns));
}

function pointBytes(columns: readonly Column[]): number {
  return columns.reduce((sum, { template }) => sum + template.point.bytes.length, 0);
}

/** Divides a list where the frame changes. */
function splitRuns(
  columns: readonly Column[],
  frameOf: (column: Column) => { readonly key: string },
): readonly Column[][] {
  const runs: Column[][] = [];
  let lastKey: string | undefined;
  for (const column of columns) {
    const { key } = frameOf(column);
    if (key === lastKey) runs.at(-1)?.push(column);
    else runs.push([column]);
    lastKey = key;
  }
  return runs;
}
