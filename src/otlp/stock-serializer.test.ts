import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import type { Series } from '../model/series.js';
import { Batcher } from './batcher.js';
import { toStockMetrics } from './stock-metrics.fixture.js';

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

test('Batcher writes the same bytes as the official serialiser', () => {
  const table = {
    series,
    epoch: start,
    offsets: Float64Array.of(1e9, 2e9),
    values: Float64Array.of(0.5, -1e-300, 7, 1e6 / 3, 12_345.678, -8),
  };
  const [stock] = toStockMetrics(table);
  const ours: Uint8Array[] = [];
  const batcher = new Batcher({ maxPoints: 100, maxBytes: 1e6 }, ({ bytes }) => ours.push(bytes));
  batcher.add(table);
  batcher.flush();
  assert.deepEqual(ours, [Buffer.from(ProtobufMetricsSerializer.serializeRequest(stock) ?? [])]);
});
