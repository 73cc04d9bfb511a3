import { ValueType, type HrTime } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationTemporality, DataPointType, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { Metric, Resource } from '../model/series.js';
import type { Table } from '../model/table.js';
import { readVersion } from '../version.js';

/** The points of a table in the form of the official serialisers: one request per resource. */
export function toStockMetrics(table: Table): readonly ResourceMetrics[] {
  const resources = new Map<Resource, Map<Metric, number[]>>();
  for (const [column, { resource, metric }] of table.series.entries()) {
    const metrics = resources.get(resource) ?? new Map<Metric, number[]>();
    resources.set(resource, metrics.set(metric, [...(metrics.get(metric) ?? []), column]));
  }
  const scope = { name: 'joulemetry', version: readVersion() };
  const stock = [...resources].map(([{ attributes }, byMetric]) => {
    const metrics = [...byMetric].map(([metric, columns]) => toStockMetric(metric, columns, table));
    return { resource: resourceFromAttributes(attributes), scopeMetrics: [{ scope, metrics }] };
  });
  // The points have the type of their metric; TypeScript cannot express this as a union over all kinds.
  return stock as unknown as readonly ResourceMetrics[];
}

function toStockMetric(
  { name, unit, description, kind, valueType }: Metric,
  columns: readonly number[],
  { series, epoch, offsets, values }: Table,
) {
  return {
    descriptor: {
      name,
      unit,
      description,
      valueType: valueType === 'int' ? ValueType.INT : ValueType.DOUBLE,
    },
    dataPointType: kind === 'gauge' ? DataPointType.GAUGE : DataPointType.SUM,
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    isMonotonic: kind === 'counter',
    dataPoints: Array.from(offsets).flatMap((offset, row) =>
      columns.map((column) => ({
        startTime: hrTime(series[column].start),
        endTime: hrTime(epoch + BigInt(offset)),
        attributes: series[column].attributes,
        value: values[row * series.length + column],
      })),
    ),
  };
}

function hrTime(ns: bigint): HrTime {
  return [Number(ns / 1_000_000_000n), Number(ns % 1_000_000_000n)];
}
