import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import type { Metric, Resource, Series } from '../src/model/series.js';
import type { Table } from '../src/model/table.js';
import { Batcher } from '../src/otlp/batcher.js';
import { toStockMetrics } from '../src/otlp/stock-metrics.fixture.js';
import { median, type Benchmark, type Result } from './benchmark.js';

const maxNs = 50;
const minSpeedup = 40;
const warmUps = 5;
const rounds = 15;
const inARow = 10;
const limits = { maxPoints: 8192, maxBytes: 3.5 * 2 ** 20 };
const start = 1_795_000_000_123_456_789n;

interface Shape {
  readonly what: string;
  readonly resources: number;
  readonly metrics: number;
  readonly seriesPerMetric: number;
  readonly rows: number;
}

/** Typical tables: of a sampler, of a receiver with many series, of a scan of processes. */
export const shapes: readonly Shape[] = [
  { what: '4 series, 2048 rows', resources: 1, metrics: 1, seriesPerMetric: 4, rows: 2048 },
  { what: '256 series, 32 rows', resources: 1, metrics: 8, seriesPerMetric: 32, rows: 32 },
  { what: '8192 series, 1 row', resources: 1, metrics: 8, seriesPerMetric: 1024, rows: 1 },
  { what: '512 processes, 16 series each, 1 row', resources: 512, metrics: 8, seriesPerMetric: 2, rows: 1 },
];

/** Encoding of 8,192 points with four attributes each, against the official serialiser. CPU time of all threads. */
export const encoder: Benchmark = {
  name: 'encoder',
  measure: () => Promise.resolve(shapes.map(measureShape)),
};

function measureShape(shape: Shape): Result {
  const table = createTable(shape);
  const stock = toStockMetrics(table);
  const batcher = new Batcher(limits, ({ release }) => release?.());
  const encode = () => {
    batcher.add(table);
    batcher.flush();
  };
  const encodeStock = () => {
    for (const one of stock) ProtobufMetricsSerializer.serializeRequest(one);
  };
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = -warmUps; round < rounds; round += 1) {
    const [own, stockNs] = [timePerPoint(table, encode), timePerPoint(table, encodeStock)];
    if (round < 0) continue;
    ours.push(...own);
    theirs.push(...stockNs);
  }
  return compare(`Encode a point: ${shape.what}`, median(ours), median(theirs));
}

function compare(what: string, ours: number, reference: number): Result {
  const ratio = ours / reference;
  const met = ours <= maxNs && ratio <= 1 / minSpeedup;
  return { what, unit: 'ns', ours, reference, ratio, met, budget: `at most ${maxNs} ns, 1/${minSpeedup}` };
}

/** Several times in a row, so that neither side pays for refilling the CPU caches after the other one. */
function timePerPoint({ values }: Table, encode: () => void): readonly number[] {
  return Array.from({ length: inARow }, () => {
    const before = process.cpuUsage();
    encode();
    const { user, system } = process.cpuUsage(before);
    return (1000 * (user + system)) / values.length;
  });
}

/** The table of a shape. */
export function createTable({ resources, metrics, seriesPerMetric, rows }: Shape): Table {
  const kinds = Array.from({ length: metrics }, (_, i): Metric => ({
    name: `process.measure.${i}`,
    unit: 'J',
    description: 'A description as long as most of them are',
    kind: 'counter',
    valueType: 'double',
  }));
  const series = Array.from({ length: resources }, (_, pid) => createResource(pid)).flatMap((resource) =>
    kinds.flatMap((metric) =>
      Array.from({ length: seriesPerMetric }, (_, i) => createSeries(metric, resource, i)),
    ),
  );
  return {
    series,
    epoch: start,
    offsets: Float64Array.from({ length: rows }, (_, row) => row * 1e5),
    values: Float64Array.from({ length: rows * series.length }, (_, cell) => cell / 3),
  };
}

function createResource(pid: number): Resource {
  return { attributes: { 'host.name': 'node-1', 'process.pid': pid, 'process.executable.name': 'worker' } };
}

function createSeries(metric: Metric, resource: Resource, i: number): Series {
  const attributes = {
    'hw.type': 'cpu',
    'hw.id': `cpu-package-${i}`,
    'energy.method': 'measured',
    'energy.attribution.model': 'cpu_time',
  };
  return { metric, resource, attributes, start };
}
