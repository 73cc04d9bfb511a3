import type { RequestLimits } from '../export/queued-exporter.js';
import type { HistogramTable } from '../model/histogram-table.js';
import { createPlans, findOrAdd } from '../model/plan.js';
import type { HistogramSeries } from '../model/series.js';
import { frameOverheadBytes, splitTimes } from './columns.js';
import { HistogramPointWriter, pointHead } from './histogram-point.js';
import type { EncodedMetric } from './request-builder.js';
import {
  metricFrame,
  metricLength,
  resourceFrame,
  writeMetricEnd,
  writeMetricStart,
  type MetricFrame,
  type ResourceFrame,
} from './templates.js';

/** The rows of one metric of one resource, in tables with the same array of series. */
interface RowGroup {
  readonly resource: ResourceFrame;
  readonly metric: MetricFrame;
  readonly rows: readonly number[];
  /** The start of the points of each row. */
  readonly heads: readonly Buffer[];
  /** Maximum bytes around its points. */
  readonly frameBytes: number;
}

interface GrowingGroup extends RowGroup {
  readonly rows: number[];
  readonly heads: Buffer[];
}

const groupRows = createPlans((series: readonly HistogramSeries[]): readonly RowGroup[] => {
  const groups = new Map<string, Map<string, GrowingGroup>>();
  for (const [row, one] of series.entries()) {
    const [resource, metric] = [resourceFrame(one.resource), metricFrame(one.metric)];
    const metrics = findOrAdd(groups, resource.key, () => new Map<string, GrowingGroup>());
    const group = findOrAdd(metrics, metric.key, () => ({
      resource,
      metric,
      rows: [],
      heads: [],
      frameBytes: frameOverheadBytes({ resource, metric }),
    }));
    group.rows.push(row);
    group.heads.push(pointHead(one));
  }
  return [...groups.values()].flatMap((metrics) => Array.from(metrics.values()));
});

/** The used part of a request. */
export interface RequestUse {
  readonly points: number;
  readonly maxBytes: number;
}

/** The destination of encoded histograms. */
export interface EncodedSink {
  /** Usage of the current request. */
  use(): RequestUse;
  add(encoded: EncodedMetric): void;
  /** Emits the request and starts another one. */
  flush(): void;
}

const points = new HistogramPointWriter();

/** Encodes the rows of a table, grouped by metric and resource, in requests within the limits. */
export function encodeHistograms(table: HistogramTable, limits: RequestLimits, sink: EncodedSink): void {
  const times = splitTimes(table.epoch, table.offsets);
  points.clear();
  for (const group of groupRows(table.series)) {
    let count = 0;
    for (let i = 0; i < group.rows.length; i += 1) {
      const before = points.length;
      points.add(table, group.rows[i], group.heads[i], times);
      const { points: used, maxBytes } = sink.use();
      const bytes = maxBytes + group.frameBytes + points.length;
      const isFull = used + count >= limits.maxPoints || bytes > limits.maxBytes;
      // A single point that exceeds the limit is sent as it is: it cannot be divided.
      if (isFull && used + count > 0) {
        if (count > 0) sink.add(close(group, count, before));
        sink.flush();
        count = 0;
      }
      count += 1;
    }
    if (count > 0) sink.add(close(group, count, points.length));
  }
}

/** @param length of the points that it will contain */
function close({ resource, metric, frameBytes }: RowGroup, count: number, length: number): EncodedMetric {
  const bytes = Buffer.allocUnsafe(metricLength(metric, length));
  const at = writeMetricStart(bytes, 0, metric, length);
  points.moveTo(bytes, at, length);
  writeMetricEnd(bytes, at + length, metric);
  return { resource, bytes, points: count, maxBytes: frameBytes + length };
}
