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
import { countRecorded, type RecordedTable } from '../src/recording/recorded-table.js';
import { compare, median, type Benchmark, type Result } from './benchmark.js';
import { createHistograms, toStockHistograms } from './histograms.js';

const warmUps = 20;
const rounds = 25;
const start = 1_795_000_000_123_456_789n;
/** Budgets in ns of CPU time. */
const maxParquetNs = 1000;
const maxReadNs = 1500;

/** Typical tables: of a scan of processes, and of a sampler. */
const shapes = [
  { what: '512 processes, 16 series each', processes: 512, metrics: 8, seriesPerMetric: 2, rows: 1 },
  { what: '9 domains at 10 kHz', processes: 1, metrics: 1, seriesPerMetric: 9, rows: 910 },
] as const;

type Shape = (typeof shapes)[number];

/** What is written and read. */
interface Load {
  readonly what: string;
  readonly table: RecordedTable;
  readonly stock: readonly ResourceMetrics[];
  /** Budgets are for points, not for histograms. */
  readonly hasBudgets: boolean;
}

/**
 * Writing and reading 8,192 points or 1,024 histograms in files, against the official serialiser's JSON. CPU time
 * of all threads.
 */
export const file: Benchmark = {
  name: 'file',
  measure: () => Promise.resolve([...shapes.map(createLoad), createHistogramLoad()].flatMap(measureLoad)),
};

function createLoad(shape: Shape): Load {
  const table = createTable(shape);
  return { what: shape.what, table, stock: toStockMetrics(table), hasBudgets: true };
}

function createHistogramLoad(): Load {
  const table = createHistograms(1n);
  return { what: 'histograms of 15 buckets', table, stock: [toStockHistograms(table)], hasBudgets: false };
}

function measureLoad(load: Load): readonly Result[] {
  const { table, stock } = load;
  const sides = createSides(table);
  const reference: number[] = [];
  const times = sides.map((): number[] => []);
  for (let round = -warmUps; round < rounds; round += 1) {
    const stockNs = timePerPoint(table, () => serialize(stock));
    const ownNs = sides.map(({ run }) => timePerPoint(table, run));
    if (round < 0) continue;
    reference.push(stockNs);
    for (const [i, ns] of ownNs.entries()) times[i].push(ns);
  }
  return sides.map((side, i) =>
    describe(load, side, { ours: median(times[i]), reference: median(reference) }),
  );
}

function describe(
  { what: load, hasBudgets }: Load,
  { what, maxRatio, maxNs }: Side,
  figures: Pick<Result, 'ours' | 'reference'>,
): Result {
  const result = compare(`${what}: ${load}`, 'ns', figures, hasBudgets ? maxRatio : undefined);
  return maxNs === undefined || !hasBudgets
    ? result
    : { ...result, budget: `at most ${maxNs} ns`, met: figures.ours <= maxNs };
}

function serialize(requests: readonly ResourceMetrics[]): void {
  for (const one of requests) JsonMetricsSerializer.serializeRequest(one);
}

interface Side {
  readonly what: string;
  readonly maxRatio?: number;
  readonly maxNs?: number;
  run(): void;
}

function createSides(table: RecordedTable): readonly Side[] {
  const json = new JsonLinesEncoder();
  const csv = new CsvEncoder(['host.name', 'hw.id', 'process.pid']);
  csv.columns = csv.findMissing([table]);
  const parquet = new ParquetEncoder(['host.name', 'hw.id', 'process.pid']);
  return [
    { what: 'Write a point as JSON', maxRatio: 0.5, run: () => encodeJson(json, table) },
    { what: 'Write a point as CSV', run: () => Buffer.from(csv.encode(table)) },
    { what: 'Write a point as Parquet', maxNs: maxParquetNs, run: () => encodeParquet(parquet, table) },
    { what: 'Read a point of JSON', maxNs: maxReadNs, run: createReader(table) },
  ];
}

/** As for every flush: a row group and a footer. */
function encodeParquet(encoder: ParquetEncoder, table: RecordedTable): void {
  encoder.encode([table]);
  encoder.footer();
}

function encodeJson(encoder: JsonLinesEncoder, table: RecordedTable): Buffer {
  encoder.add(table);
  return encoder.take();
}

function createReader(table: RecordedTable): () => void {
  const lines = encodeJson(new JsonLinesEncoder(), table).toString().trimEnd().split('\n');
  const sink = { table: () => {}, histograms: () => {}, malformed: () => {}, unsupported: () => {} };
  const decoder = new JsonLinesDecoder(sink, new PointStream(sink));
  return () => {
    for (const line of lines) decoder.line(line);
  };
}

function timePerPoint(table: RecordedTable, run: () => unknown): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (1000 * (user + system)) / countRecorded(table);
}

function createTable({ processes, metrics: count, seriesPerMetric, rows }: Shape): Table {
  const metrics = Array.from({ length: count }, (_, i): Metric => ({
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
      Array.from({ length: seriesPerMetric }, (_, i): Series => ({
        metric,
        resource,
        attributes: { 'hw.type': 'cpu', 'hw.id': `cpu-package-${i}`, 'energy.method': 'measured' },
        start,
      })),
    ),
  );
  return {
    series,
    epoch: start,
    // A timer jitters by some tens of nanoseconds.
    offsets: Float64Array.from({ length: rows }, (_, row) => row * 1e5 + ((row * 7) % 64)),
    values: Float64Array.from({ length: rows * series.length }, (_, cell) => cell / 3),
  };
}
