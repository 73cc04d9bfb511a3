import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationTemporality, DataPointType, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { Intake } from '../receivers/otlp/intake.js';
import { createFakeContext } from '../src/component/fakes.js';
import { HistogramRow, HistogramRows, type HistogramTable } from '../src/model/histogram-table.js';
import type { HistogramSeries } from '../src/model/series.js';
import { Batcher } from '../src/otlp/batcher.js';
import { measureAllocation } from '../src/testing/allocation.fixture.js';
import { median, type Benchmark, type Result } from './benchmark.js';

const warmUps = 20;
const rounds = 15;
const points = 1024;
const limits = { maxPoints: 8192, maxBytes: 3.5 * 2 ** 20 };
const bounds = Float64Array.of(5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000);
const start = 1_795_000_000_123_456_789n;

/**
 * Histograms of 15 buckets with three attributes: encoding against the official serialiser, and decoding in the
 * receiver.
 */
export const histograms: Benchmark = {
  name: 'histograms',
  async measure() {
    const tables = Array.from({ length: warmUps + rounds }, (_, second) =>
      createHistograms(BigInt(second + 1)),
    );
    return [measureEncoding(tables), measureHeap(tables), await measureReceiving(tables)];
  },
};

function measureEncoding(tables: readonly HistogramTable[]): Result {
  const encode = createEncoder(() => {});
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (const [round, table] of tables.entries()) {
    const stock = toStockHistograms(table);
    const own = timeOf(() => encode(table));
    const official = timeOf(() => ProtobufMetricsSerializer.serializeRequest(stock));
    if (round < warmUps) continue;
    ours.push(own);
    theirs.push(official);
  }
  const [middle, reference] = [median(ours), median(theirs)];
  return result('Encode a histogram', 'ns', { ours: middle, reference, ratio: middle / reference });
}

function measureHeap(tables: readonly HistogramTable[]): Result {
  const encode = createEncoder(() => {});
  for (const table of tables) encode(table);
  const bytes = measureAllocation(() => {
    for (const table of tables) encode(table);
  });
  const ours = bytes / (points * tables.length);
  return result('Heap of a histogram that is encoded', 'B', { ours });
}

async function measureReceiving(tables: readonly HistogramTable[]): Promise<Result> {
  const requests: Buffer[] = [];
  const encode = createEncoder((bytes) => requests.push(Buffer.from(bytes)));
  for (const table of tables) encode(table);
  const next = { consume: () => true, consumeHistograms: () => true };
  const intake = new Intake({ maxSeries: 1e6, expiryMs: 60_000 }, createFakeContext(), next);
  const times: number[] = [];
  for (const [round, request] of requests.entries()) {
    const before = process.cpuUsage();
    const { kind } = await intake.take(request);
    const { user, system } = process.cpuUsage(before);
    if (kind !== 'taken')
      throw new Error('Cannot measure: expected a request that is taken, found another outcome');
    if (round >= warmUps) times.push((user + system) / 1e6);
  }
  await intake.shutdown();
  return result('Receive histograms: decode, check and forward', 'points/s', {
    ours: points / median(times),
  });
}

function createEncoder(take: (bytes: Uint8Array) => void): (table: HistogramTable) => void {
  const batcher = new Batcher(limits, ({ bytes, release }) => {
    take(bytes);
    release?.();
  });
  return (table) => {
    batcher.addHistograms(table);
    batcher.flush();
  };
}

function result(
  what: string,
  unit: string,
  { ours, reference, ratio }: { readonly ours: number; readonly reference?: number; readonly ratio?: number },
): Result {
  return { what, unit, ours, reference, ratio, budget: '', met: undefined };
}

/** Nanoseconds of CPU time per point. */
function timeOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (1000 * (user + system)) / points;
}

const metric = {
  name: 'http.server.request.duration',
  unit: 'ms',
  description: 'Duration of HTTP requests',
  kind: 'histogram',
} as const;
const resource = { attributes: { 'service.name': 'shop', 'host.name': 'node-1' } };

const series = Array.from({ length: points }, (_, i): HistogramSeries => ({
  metric,
  resource,
  attributes: { 'http.request.method': 'GET', 'http.route': `/items/${i}`, 'http.response.status_code': 200 },
  start,
}));

/** A histogram of each series, whose buckets grow each second. */
export function createHistograms(second: bigint): HistogramTable {
  const rows = new HistogramRows();
  const row = new HistogramRow().clear({ kind: 'histogram', bounds });
  row.buckets = new Float64Array(bounds.length + 1).fill(Number(second) * 1000);
  row.count = (bounds.length + 1) * Number(second) * 1000;
  [row.sum, row.min, row.max] = [row.count * 1.5, 0.25, 20_000];
  for (const one of series) rows.add(one, 0, row);
  return { ...rows.take(start + second * 1_000_000_000n), series };
}

function hrTime(ns: bigint): readonly number[] {
  return [Number(ns / 1_000_000_000n), Number(ns % 1_000_000_000n)];
}

/** The same for the official serialiser. */
export function toStockHistograms(table: HistogramTable): ResourceMetrics {
  const row = new HistogramRow();
  const dataPoints = table.series.map(({ attributes }, number) => {
    const { count, sum, min, max, buckets } = row.read(table, number);
    const value = { count, sum, min, max, buckets: { boundaries: [...bounds], counts: [...buckets] } };
    return { startTime: hrTime(start), endTime: hrTime(table.epoch), attributes, value };
  });
  const { name, unit, description } = metric;
  const one = {
    descriptor: { name, unit, description, valueType: 1 },
    dataPointType: DataPointType.HISTOGRAM,
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPoints,
  };
  // The points have the type that belongs to their metric; the type system cannot express this for the union of
  // all kinds.
  return {
    resource: resourceFromAttributes(resource.attributes),
    scopeMetrics: [{ scope: { name: 'joulemetry' }, metrics: [one] }],
  } as unknown as ResourceMetrics;
}
