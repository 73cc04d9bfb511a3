import type { Series } from '../src/model/series.js';
import { hwEnergy } from '../src/model/shared-metrics.js';
import type { Table } from '../src/model/table.js';
import { processCpuTime } from '../src/model/usage-metrics.js';
import { Batcher } from '../src/otlp/batcher.js';

/** A sampler's table of 4 counters and 2,048 rows, or a row of 500 resources with 16 counters each. */
export type SentLoad = 'sampler' | 'scan';

const epoch = 1_795_000_000_000_000_000n;

export interface SentRequest {
  readonly bytes: Buffer;
  readonly points: number;
}

/** Requests of about 8,000 points with consecutive instants, as an agent sends them. */
export function* createRequests(load: SentLoad): Generator<SentRequest, never> {
  const [series, rows] = load === 'sampler' ? [samplerSeries(), 2048] : [scanSeries(), 1];
  const offsets = Float64Array.from({ length: rows }, (_, row) => row * 5e5 + ((row * 7919) % 20_011));
  const values = new Float64Array(rows * series.length);
  const encoded: SentRequest[] = [];
  const batcher = new Batcher({ maxPoints: 8192, maxBytes: 3.5 * 2 ** 20 }, ({ bytes, points }) => {
    encoded.push({ bytes: Buffer.from(bytes), points });
  });
  let total = 0;
  for (let second = 1; ; second += 1) {
    for (let cell = 0; cell < values.length; cell += 1) values[cell] = total + cell * 2 ** -14;
    total += values.length * 2 ** -14;
    const table: Table = { series, epoch: epoch + BigInt(second) * 2_000_000_000n, offsets, values };
    batcher.add({ ...table, values: values.slice() });
    batcher.flush();
    yield* encoded.splice(0);
  }
}

function samplerSeries(): readonly Series[] {
  const resource = { attributes: { 'host.name': 'node-1', 'host.id': 'a1b2c3', 'os.type': 'linux' } };
  return Array.from({ length: 4 }, (_, i) => ({
    metric: hwEnergy,
    resource,
    attributes: { 'hw.type': 'cpu', 'hw.id': `cpu-package-${i}`, 'energy.method': 'measured' },
    start: epoch,
  }));
}

function scanSeries(): readonly Series[] {
  return Array.from({ length: 500 }, (_, i) => ({
    attributes: { 'host.name': 'node-1', 'process.pid': 1000 + i, 'process.executable.name': `program-${i}` },
  })).flatMap((resource) =>
    Array.from({ length: 16 }, (_, mode) => ({
      metric: processCpuTime,
      resource,
      attributes: { 'cpu.mode': `mode-${mode}` },
      start: epoch,
    })),
  );
}
