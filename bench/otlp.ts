import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { factory as grpcFactory } from '../exporters/otlp_grpc/factory.js';
import { factory as httpFactory } from '../exporters/otlp_http/factory.js';
import { factory as storageFactory } from '../extensions/file_storage/factory.js';
import type { ConsumingComponent, ExporterFactory } from '../src/component/component.js';
import { createFakeAgent, createFakeContext } from '../src/component/fakes.js';
import type { Schema } from '../src/component/schema.js';
import { parseSettings } from '../src/config/settings.js';
import { hwEnergy } from '../src/model/shared-metrics.js';
import type { Table } from '../src/model/table.js';
import { Batcher } from '../src/otlp/batcher.js';
import { compressZstd, zstdMissing } from '../src/zstd.js';
import { median, type Benchmark, type Result } from './benchmark.js';

const rounds = 9;
const tables = 32;
const atATime = 4;
const minPointsPerSecond = 2e6;
const minStoredPerSecond = 2e5;
const epoch = 1_795_000_000_000_000_000n;
const host = { attributes: { 'host.name': 'node-1', 'host.id': 'a1b2c3', 'os.type': 'linux' } };

/** One second of RAPL at 2 kHz, in steps of the counter's unit: the output of a fast sampler. */
const table = createTable(4, 2048);

/** Exporting requests: CPU time and size of a point by compression, and points per second of CPU time. */
export const otlp: Benchmark = {
  name: 'otlp',
  async measure() {
    const encoded = encode(table);
    const sink = await startSink();
    try {
      return [
        ...measureCompressions(encoded),
        await measureExporter('OTLP/HTTP', httpFactory, { endpoint: `http://localhost:${sink.http}` }),
        await measureExporter('OTLP/gRPC', grpcFactory, { endpoint: `http://localhost:${sink.grpc}` }),
        await measureStored({ endpoint: `http://localhost:${sink.http}` }),
      ];
    } finally {
      sink.child.kill();
    }
  },
};

/** A compression. Not measured where this Node version lacks it. */
const compressions: readonly (readonly [name: string, compress: ((bytes: Buffer) => Buffer) | undefined])[] =
  [
    ['not at all', (bytes) => Buffer.from(bytes)],
    ['with gzip, level 1', (bytes) => gzipSync(bytes, { level: 1 })],
    ['with gzip, level 6', (bytes) => gzipSync(bytes, { level: 6 })],
    ['with zstd', zstdMissing === undefined ? compressZstd : undefined],
  ];

/** Compared with encoding, which is measured in the same run. */
function measureCompressions(bytes: Buffer): readonly Result[] {
  const points = table.values.length;
  const encoding = measureNs(() => encode(table)) / points;
  return compressions.flatMap(([name, compress]) => {
    if (compress === undefined) return [];
    const ours = measureNs(() => compress(bytes)) / points;
    return [
      describe(`Compress a point ${name}; reference: encode it`, 'ns', { ours, reference: encoding }),
      describe(`Size of a point, compressed ${name}`, 'B', { ours: compress(bytes).length / points }),
    ];
  });
}

function describe(
  what: string,
  unit: string,
  { ours, reference }: { readonly ours: number; readonly reference?: number },
): Result {
  const ratio = reference === undefined ? undefined : ours / reference;
  return { what, unit, ours, reference, ratio, budget: '', met: undefined };
}

/** CPU nanoseconds per call, after a warm-up for the compiler. */
function measureNs(call: () => unknown): number {
  const times = Array.from({ length: 3 * rounds }, () => {
    const before = process.cpuUsage();
    for (let i = 0; i < 4; i++) call();
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1000) / 4;
  });
  return median(times.slice(rounds));
}

/**
 * Every table becomes a request of about 8,192 points, is compressed with the exporter's default and sent to a
 * sink.
 */
async function measureExporter<S extends Schema>(
  what: string,
  factory: ExporterFactory<S>,
  settings: Readonly<Record<string, unknown>>,
): Promise<Result> {
  const exporter = factory.create(
    parseSettings(factory.schema, { batch: { flush_timeout: '1ms' }, ...settings }),
    createFakeContext(),
  );
  const ours = await measureRate(exporter);
  return {
    ...describe(`${what}: encode, compress with gzip and send`, 'points/s', { ours }),
    budget: 'at least 2,000,000',
    met: ours >= minPointsPerSecond,
  };
}

/** The same with storage in files. CPU time includes the threads that write them. */
async function measureStored(settings: Readonly<Record<string, unknown>>): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'joulemetry-stored-'));
  const storage = storageFactory.create(parseSettings(storageFactory.schema, { directory }), {
    ...createFakeContext(),
    isReady: () => true,
    agent: createFakeAgent(),
  });
  try {
    await storage.start();
    const stored = {
      ...settings,
      batch: { flush_timeout: '1ms' },
      sending_queue: { storage: 'file_storage' },
    };
    const context = { ...createFakeContext(), findStorage: () => storage };
    const ours = await measureRate(httpFactory.create(parseSettings(httpFactory.schema, stored), context));
    return {
      ...describe('OTLP/HTTP by way of file_storage', 'points/s', { ours }),
      budget: 'at least 200,000',
      met: ours >= minStoredPerSecond,
    };
  } finally {
    await storage.shutdown();
    rmSync(directory, { recursive: true });
  }
}

/** Points per second of CPU time. */
async function measureRate(exporter: ConsumingComponent): Promise<number> {
  await exporter.start();
  const rates: number[] = [];
  for (let round = 0; round < 2 * rounds; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < tables; i += atATime) await sendTables(exporter);
    const { user, system } = process.cpuUsage(before);
    // The first half warms up the compiler.
    if (round >= rounds) rates.push((tables * table.values.length) / ((user + system) / 1e6));
  }
  await exporter.shutdown();
  return median(rates);
}

/** Passes on some tables and waits until they were accepted: a growing queue would allocate new memory each time. */
async function sendTables(exporter: ConsumingComponent): Promise<void> {
  for (let i = 0; i < atATime; i++) exporter.consume(table);
  while ((exporter.readBacklog?.() ?? 0) > 0) await sleep(2);
}

function encode(one: Table): Buffer {
  const parts: Buffer[] = [];
  const batcher = new Batcher({ maxPoints: 8192, maxBytes: 3.5 * 2 ** 20 }, ({ bytes, release }) => {
    parts.push(Buffer.from(bytes));
    release?.();
  });
  batcher.add(one);
  batcher.flush();
  return Buffer.concat(parts);
}

interface Sink {
  readonly child: ChildProcess;
  /** Ports. */
  readonly http: number;
  readonly grpc: number;
}

async function startSink(): Promise<Sink> {
  const program = fileURLToPath(new URL('./otlp-sink.js', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [ports] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]; // what it prints
  const [http = NaN, grpc = NaN] = ports.trim().split(' ').map(Number);
  return { child, http, grpc };
}

/** Counters that grow by a varying number of RAPL units, at instants that jitter by some microseconds. */
function createTable(width: number, rows: number): Table {
  const series = Array.from({ length: width }, (_, i) => ({
    metric: hwEnergy,
    resource: host,
    attributes: { 'hw.type': 'cpu', 'hw.id': `cpu-package-${i}`, 'energy.method': 'measured' },
    start: epoch,
  }));
  const steps = new Float64Array(width);
  return {
    series,
    epoch,
    offsets: Float64Array.from({ length: rows }, (_, row) => row * 5e5 + ((row * 7919) % 20_011)),
    values: Float64Array.from(
      { length: rows * width },
      (_, cell) => (steps[cell % width] += (cell * 104_729) % 997) * 2 ** -14,
    ),
  };
}
