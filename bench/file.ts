import { JsonMetricsSerializer } from '@opentelemetry/otlp-transformer';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { Metric, Resource, Series } from '../src/model/series.js';
import type { Table } from '../src/model/table.js';
import { toStockMetrics } from '../src/otlp/stock-metrics.fixture.js';
import { CsvEncoder } from '../src/recording/csv-encoder.js';
import { PointStream } from '../src/recording/decoder.js';
import { JsonLinesDecoder } from '../src/recording/json-lines-decoder.js';
import { JsonLinesEncoder } from '../src/recording/json-lines-encoder.js';
import { ParquetEncoder } from '../src/recording/parquet-encoder.js';
import { compare, median, type Benchmark, type Result } from './benchmark.js';

const processes = 512;
const seriesPerProcess = 16;
const rounds = 9;
const start = 1_795_000_000_123_456_789n;

/** Writing 8,192 points of a scan of processes into files, against the official serialiser's JSON. */
export const file: Benchmark = { name: 'file', measure: () => Promise.resolve(measure()) };

function measure(): readonly Result[] {
  const table = createTable();
  const stock = toStockMetrics(table);
  const sides = createSides(table);
  const times = new Map<string, number[]>([
    ['stock', []],
    ...sides.map(({ what }): [string, number[]] => [what, []]),
  ]);
  for (let round = 0; round < rounds; round += 1) {
    times.get('stock')?.push(timePerPoint(table, () => serialize(stock)));
    for (const { what, run } of sides) times.get(what)?.push(timePerPoint(table, run));
  }
  const reference = median(times.get('stock') ?? []);
  return sides.map(({ what, maxRatio }) =>
    compare(what, 'ns', { ours: median(times.get(what) ?? []), reference }, maxRatio),
  );
}

function serialize(requests: readonly ResourceMetrics[]): void {
  for (const one of requests) JsonMetricsSerializer.serializeRequest(one);
}

interface Side {
  readonly what: string;
  readonly maxRatio?: number;
  run(): void;
}

function createSides(table: Table): readonly Side[] {
  const json = new JsonLinesEncoder();
  const csv = new CsvEncoder(['host.name', 'hw.id', 'process.pid']);
  csv.metricColumns = csv.findMissing([table]);
  const parquet = new ParquetEncoder(['host.name', 'hw.id', 'process.pid']);
  return [
    { what: 'Write a point as JSON', maxRatio: 0.5, run: () => encodeJson(json, table) },
    { what: 'Write a point as CSV', run: () => Buffer.from(csv.encode(table)) },
    { what: 'Write a point as Parquet', run: () => parquet.encode([table]) },
    { what: 'Read a point of JSON', run: createReader(table) },
  ];
}

function encodeJson(encoder: JsonLinesEncoder, table: Table): Buffer {
  encoder.add(table);
  return encoder.take();
}

function createReader(table: Table): () => void {
  const lines = encodeJson(new JsonLinesEncoder(), table).toString().trimEnd().split('\n');
  const sink = { table: () => {}, malformed: () => {}, unsupported: () => {} };
  const decoder = new JsonLinesDecoder(sink, new PointStream(sink));
  return () => {
    for (const line of lines) decoder.line(line);
  };
}

function timePerPoint({ values }: Table, run: () => unknown): number {
  const began = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - began) / values.length;
}

function createTable(): Table {
  const metrics = Array.from({ length: 8 }, (_, i): Metric => ({
    name: `process.measure.${i}`,
    unit: 'J',
    description: 'A description as long as most of them are',
    kind: 'counter',
    valueType: 'double',
  }));
  const series = Array.from({ length: processes }, (_, pid): Resource => ({
    attributes: { 'host.name': 'node-1', 'process.pid': pid, 'process.executable.name': 'worker' },
  })).flatMap((resource) =>
    metrics.flatMap((metric) =>
      Array.from({ length: seriesPerProcess / metrics.length }, (_, i): Series => ({
        metric,
        resource,
        attributes: { 'hw.type': 'cpu', 'hw.id': `cpu-package-${i}`, 'energy.method': 'measured' },
        start,
      })),
    ),
  );
  const values = Float64Array.from(series, (_, cell) => cell / 3);
  return { series, epoch: start, offsets: new Float64Array(1), values };
}
