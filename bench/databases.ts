import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeRows } from '../exporters/clickhouse/rows.js';
import { encodeCopy } from '../exporters/postgres/copy-rows.js';
import type { QueuedRequest } from '../src/component/queue-storage.js';
import type { Series } from '../src/model/series.js';
import { hwEnergy } from '../src/model/shared-metrics.js';
import type { Table } from '../src/model/table.js';
import { SqlBatcher } from '../src/sql/sql-batcher.js';
import { parseRequest } from '../src/sql/sql-request.js';
import { SqliteFile } from '../src/sql/sqlite-file.js';
import { median, type Benchmark, type Result } from './benchmark.js';

const rounds = 15;
const inARow = 10;
const limits = { max_points: 8192, max_bytes: 3.5 * 2 ** 20 };
const epoch = 1_795_000_000_000_000_000n;

/** Writing points to a database: CPU time on the main thread, and points per second that SQLite accepts. */
export const databases: Benchmark = {
  name: 'databases',
  measure: () => Promise.resolve([...measureEncoding(), measureSqlite()]),
};

/** One second of a number of series at 32 Hz. */
function createTable(width: number, second: number): Table {
  const rows = 32;
  return {
    series: seriesOf(width),
    epoch: epoch + BigInt(second) * 1_000_000_000n,
    offsets: Float64Array.from({ length: rows }, (_, row) => (row * 1e9) / rows),
    values: Float64Array.from({ length: rows * width }, (_, cell) => cell / 3 + second),
  };
}

const known = new Map<number, readonly Series[]>();

function seriesOf(width: number): readonly Series[] {
  const resource = { attributes: { 'host.name': 'node-1', 'process.executable.name': 'worker' } };
  const series =
    known.get(width) ??
    Array.from({ length: width }, (_, id): Series => ({
      metric: hwEnergy,
      resource,
      attributes: { 'hw.id': `package-${id}`, 'hw.type': 'cpu' },
      start: epoch,
    }));
  known.set(width, series);
  return series;
}

function measureEncoding(): readonly Result[] {
  const table = createTable(256, 0);
  let last: QueuedRequest | undefined;
  const batcher = new SqlBatcher(limits, (request) => (last = request));
  const encode = () => {
    batcher.add(table);
    batcher.flush();
  };
  encode();
  const request = parseRequest(last?.bytes ?? new Uint8Array());
  const points = table.values.length;
  return [
    describe('Encode a point for a database: 256 series, 32 rows', 'ns', measureNs(encode) / points),
    describe('ClickHouse: make a row of RowBinary', 'ns', measureNs(() => encodeRows('', request)) / points),
    describe('PostgreSQL: make a row of COPY', 'ns', measureNs(() => encodeCopy(request)) / points),
  ];
}

/** Each request is a transaction of 8,192 points; the first requests create tables and series. */
function measureSqlite(): Result {
  const folder = mkdtempSync(join(tmpdir(), 'joulemetry-bench-'));
  const file = new SqliteFile({
    path: join(folder, 'a.db'),
    maxAgeMs: 0,
    synchronous: 'normal',
    busyTimeoutMs: 0,
  });
  const rates: number[] = [];
  const batcher = new SqlBatcher(limits, ({ bytes, points }) => {
    const beganMs = performance.now();
    file.write(bytes);
    rates.push((1000 * points) / (performance.now() - beganMs));
  });
  for (let second = 0; second < 3 * rounds; second += 1) {
    batcher.add(createTable(256, second));
    batcher.flush();
  }
  file.close();
  rmSync(folder, { recursive: true });
  return describe('SQLite: write, on a thread of its own', 'points/s', median(rates.slice(rounds)));
}

function describe(what: string, unit: string, ours: number): Result {
  return { what, unit, ours, reference: undefined, ratio: undefined, budget: '', met: undefined };
}

/** CPU nanoseconds per call, after a warm-up for the compiler. */
function measureNs(call: () => unknown): number {
  const times = Array.from({ length: 2 * rounds }, () => {
    const before = process.cpuUsage();
    for (let i = 0; i < inARow; i++) call();
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1000) / inARow;
  });
  return median(times.slice(rounds));
}
