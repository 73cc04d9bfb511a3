import { readFileSync } from 'node:fs';
import type { QueuedRequest } from '../component/queue-storage.js';
import type { Metric, Series } from '../model/series.js';
import { hwEnergy } from '../model/shared-metrics.js';
import { createRow, type Table } from '../model/table.js';
import { processCpuTime } from '../model/usage-metrics.js';
import { Batcher } from '../otlp/batcher.js';
import { decodePoints, type DecodedPoint } from '../otlp/decode-request.fixture.js';

const secondNs = 1_000_000_000n;
const rows = 100;
const programs = 12;
const limits = { maxPoints: 8192, maxBytes: 3.5 * 2 ** 20 };
const programEnergy: Metric = { ...hwEnergy, name: 'program.energy' };
const host = { attributes: { 'host.name': 'node-1' } };

/**
 * For tests: 100 s of a host, at one reading a second, ending at this instant: a package whose counter is reset
 * and has a gap, DRAM whose counter is older, and twelve programs, of which one starts within that time and one
 * ends. Names contain characters that SQL and JSON must escape.
 */
export function createMeasurements(end: bigint): readonly Table[] {
  const begin = end - BigInt(rows) * secondNs;
  const packages = [0n, 50n].map((after): Series => domain('cpu', begin + after * secondNs));
  const dram = domain('memory', begin - 86_400n * secondNs);
  const workloads = Array.from({ length: programs }, (_, i) => createProgram(i, begin));
  const cpu: Series = { metric: processCpuTime, resource: host, attributes: {}, start: begin };
  const tables: Table[] = [];
  for (let row = 0; row < rows; row++) {
    const current = packages[row < 50 ? 0 : 1];
    const alive = workloads.filter((_, i) => (i !== 3 || row < 70) && (i !== 4 || row >= 40));
    const series = [...(current ? [current] : []), dram, ...alive, cpu];
    const values = series.map((one) => valueOf(one, row, workloads.indexOf(one)));
    const at = begin + BigInt(row + 1) * secondNs + 123_456_789n;
    const ended = row === 49 ? packages.slice(0, 1) : row === 69 ? workloads.slice(3, 4) : [];
    tables.push({ ...createRow(series, at, Float64Array.from(values)), ended });
  }
  return tables;
}

function domain(type: string, start: bigint): Series {
  return { metric: hwEnergy, resource: host, attributes: { 'hw.id': `${type}-0`, 'hw.type': type }, start };
}

function createProgram(i: number, begin: bigint): Series {
  const name = `program '${i}' "\\u0000" ü`;
  const resource = { attributes: { ...host.attributes, 'process.executable.name': name, 'process.pid': i } };
  const start = begin + (i === 4 ? 40n * secondNs : -secondNs);
  return { metric: programEnergy, resource, attributes: { 'hw.type': 'cpu' }, start };
}

/** Joules: 20 W for the package, 2.5 W for DRAM, and for each program its number plus a half in watts. */
function valueOf({ attributes, metric }: Series, row: number, workload: number): number {
  if (metric.name === processCpuTime.name) return row / 100;
  if (workload >= 0) return (workload + 0.5) * (row + 2 - (workload === 4 ? 41 : 0));
  if (attributes['hw.type'] === 'memory') return 1e6 + 2.5 * row;
  return row === 20 ? NaN : 20 * ((row % 50) + 1);
}

/** Decodes tables with a foreign OTLP decoder, in which ends of series and gaps have no value. */
export function decodeIndependently(tables: readonly Table[]): readonly DecodedPoint[] {
  const requests: QueuedRequest[] = [];
  const batcher = new Batcher(limits, (request) => void requests.push(request));
  for (const table of tables) batcher.add(table);
  batcher.flush();
  return requests.flatMap(({ bytes }) => decodePoints(bytes));
}

/** Number and sum of the values per metric. */
export function summarize(
  points: readonly DecodedPoint[],
): Readonly<Record<string, readonly [number, number]>> {
  const sums: Record<string, [number, number]> = {};
  for (const { name, value } of points) {
    if (value === undefined) continue;
    const sum = (sums[name] ??= [0, 0]);
    sum[0] += 1;
    sum[1] += Number(value);
  }
  return sums;
}

/** Joules by program, largest first: the growth of each counter, or its value if it started after `since`. */
export function joulesByProgram(
  points: readonly DecodedPoint[],
  since: bigint,
): readonly (readonly [program: string, joules: number])[] {
  const counters = new Map<string, { readonly program: string; readonly first: number; last: number }>();
  for (const { name, resource, attributes, start, value } of points) {
    if (name !== programEnergy.name || value === undefined) continue;
    const program = String(resource['process.executable.name']);
    const key = JSON.stringify([program, attributes, String(start)]);
    const counter = counters.get(key) ?? { program, first: start >= since ? 0 : Number(value), last: 0 };
    counter.last = Number(value);
    counters.set(key, counter);
  }
  return Array.from(
    counters.values(),
    ({ program, first, last }) => [program, last - first] as const,
  ).toSorted(([, a], [, b]) => b - a);
}

/** The SQL in a README, one text per block. */
export function readQueries(path: string): readonly string[] {
  const readme = readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
  return Array.from(readme.matchAll(/^```sql\n([^`]+)^```$/gmu), ([, sql = '']) => sql);
}
