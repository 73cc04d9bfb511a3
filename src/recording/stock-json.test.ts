import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonMetricsSerializer } from '@opentelemetry/otlp-transformer';
import type { Metric, Series } from '../model/series.js';
import { toStockMetrics } from '../otlp/stock-metrics.fixture.js';
import { JsonLinesEncoder } from './json-lines-encoder.js';

const resource = { attributes: { 'host.name': 'node-1', 'host.cpu.count': 8, virtual: true, load: 0.25 } };
const start = 1_795_000_000_123_456_789n;
const energy: Metric = {
  name: 'hw.energy',
  unit: 'J',
  description: 'Energy',
  kind: 'counter',
  valueType: 'double',
};
const threads: Metric = {
  name: 'threads',
  unit: '',
  description: '',
  kind: 'updowncounter',
  valueType: 'int',
};
const load: Metric = { name: 'load', unit: '1', description: 'Load', kind: 'gauge', valueType: 'double' };
const series: readonly Series[] = [
  { metric: energy, resource, attributes: { 'hw.id': 'package-0', 'say "x"': 'é\n' }, start },
  { metric: energy, resource, attributes: { 'hw.id': 'dram-0' }, start },
  { metric: threads, resource, attributes: { 'process.pid': 7 }, start },
  { metric: load, resource, attributes: { idle: false }, start },
];
const table = {
  series,
  epoch: start,
  offsets: Float64Array.of(1e9, 2e9),
  values: Float64Array.of(0.1, -1e-300, 7, 1e6 / 3, 12_345.678, 5e-324, -8, 1e21),
};

const unsaid = new Set<unknown>([0, '', false, undefined]);

/** Empty and 0 fields may be omitted in OTLP JSON, and 64-bit integers are strings. */
function normalize(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normalize);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] =>
    key === 'asInt' || key === 'intValue' ? [key, String(inner)] : [key, normalize(inner)],
  );
  return Object.fromEntries(entries.filter(([key, inner]) => key === 'boolValue' || !unsaid.has(inner)));
}

test('JsonLinesEncoder writes the same as the official serialiser', () => {
  const [stock] = toStockMetrics(table);
  const encoder = new JsonLinesEncoder();
  encoder.add(table);
  const ours: unknown = JSON.parse(encoder.take().toString());
  const theirs: unknown = JSON.parse(
    Buffer.from(JsonMetricsSerializer.serializeRequest(stock) ?? []).toString(),
  );
  assert.deepEqual(normalize(ours), normalize(theirs));
});
