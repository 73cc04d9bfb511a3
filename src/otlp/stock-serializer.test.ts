import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ValueType, type HrTime } from '@opentelemetry/api';
import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationTemporality, DataPointType, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { readVersion } from '../cli/version.js';
import type { Series } from '../model/series.js';
import { Batcher } from './batcher.js';

const resource = { attributes: { 'host.name': 'node-1', 'host.cpu.count': 8, virtual: true, load: 0.25 } };
const energy = {
  name: 'hw.energy',
  unit: 'J',
  description: 'Energy used',
  kind: 'counter',
  valueType: 'double',
} as const;
const threads = { name: 'threads', unit: '', description: '', kind: 'gauge', valueType: 'int' } as const;
const start = 1_795_000_000_123_456_789n;
const series: readonly Series[] = [
  { metric: energy, resource, attributes: { 'hw.id': 'package-0', 'hw.type': 'cpu' }, start },
  { metric: energy, resource, attributes: { 'hw.id': 'dram-0', 'hw.type': 'memory' }, start },
  { metric: threads, resource, attributes: {}, start },
];

function hrTime(ns: bigint): HrTime {
  return [Number(ns / 1_000_000_000n), Number(ns % 1_000_000_000n)];
}

function stockMetric(
  { name, unit, description, kind, valueType }: Series['metric'],
  points: readonly unknown[],
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
    dataPoints: points,
  };
}

test('Batcher writes the bytes that the official serialiser writes', () => {
  const table = {
    series,
    epoch: start,
    offsets: Float64Array.of(1e9, 2e9),
    values: Float64Array.of(0.5, -1e-300, 7, 1e6 / 3, 12_345.678, -8),
  };
  const point = (column: number, row: number) => ({
    startTime: hrTime(start),
    endTime: hrTime(start + BigInt(table.offsets[row])),
    attributes: series[column].attributes,
    value: table.values[row * series.length + column],
  });
  const metrics = [
    stockMetric(energy, [point(0, 0), point(1, 0), point(0, 1), point(1, 1)]),
    stockMetric(threads, [point(2, 0), point(2, 1)]),
  ];
  const stock = {
    resource: resourceFromAttributes(resource.attributes),
    scopeMetrics: [{ scope: { name: 'joulemetry', version: readVersion() }, metrics }],
    // The points have the type that their metric says; the union over all kinds cannot be told so.
  } as unknown as ResourceMetrics;

  const ours: Uint8Array[] = [];
  const batcher = new Batcher({ maxPoints: 100, maxBytes: 1e6 }, ({ bytes }) => ours.push(bytes));
  batcher.add(table);
  batcher.flush();
  assert.deepEqual(ours, [Buffer.from(ProtobufMetricsSerializer.serializeRequest(stock) ?? [])]);
});
