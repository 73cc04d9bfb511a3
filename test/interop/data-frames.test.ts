import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { writeTables } from '../../exporters/file/file.fixture.js';
import type { Series } from '../../src/model/series.js';
import { timeOf, type Table } from '../../src/model/table.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { isWithout, peerPath } from './peers.js';

const script = fileURLToPath(new URL('../../../test/interop/peers/read_recording.py', import.meta.url));
const epoch = 1_800_000_000_123_456_789n;

const series = Array.from({ length: 9 }, (_, i): Series => ({
  metric: {
    name: i % 2 === 0 ? 'hw.energy' : 'ｘ',
    unit: 'J',
    description: 'Énergie',
    kind: 'counter',
    valueType: 'double',
  },
  resource: { attributes: { 'host.name': i < 5 ? 'ünode' : 'b' } },
  attributes: i % 3 === 0 ? {} : { 'hw.id': `package-${i}` },
  start: i % 4 === 0 ? 0n : epoch - BigInt(i),
}));

/** Numbers of every magnitude, with gaps. */
function valueOf(cell: number): number {
  if (cell % 7 === 3) return NaN;
  return ((cell % 5) - 1.5) * 10 ** ((cell * 13) % 40) + cell / 3;
}

function tableOf(second: number, rows: number, ended?: readonly Series[]): Table {
  return {
    series,
    epoch: epoch + BigInt(second) * 1_000_000_000n,
    offsets: Float64Array.from({ length: rows }, (_, row) => row * 100_000 + ((row * 7) % 64)),
    values: Float64Array.from({ length: rows * series.length }, (_, cell) => valueOf(cell + second)),
    ...(ended && { ended }),
  };
}

const tables = [tableOf(0, 1), tableOf(1, 2500), tableOf(2, 3, series.slice(0, 3))];

/** As Python formats numbers, except for the exponent. */
function textOf(value: bigint | number | string | undefined): string | null {
  if (value === undefined || Number.isNaN(value)) return null;
  return String(value);
}

type Row = readonly (string | null)[];

function rowOf(
  { metric, resource, attributes, start }: Series,
  at: bigint,
  value: number,
  state?: string,
): Row {
  const startTime = start === 0n ? undefined : start;
  const { 'host.name': host } = resource.attributes;
  const { 'hw.id': id } = attributes;
  return [at, metric.name, value, startTime, state, String(host), id?.toString(), metric.description].map(
    textOf,
  );
}

function rowsOf(table: Table): readonly Row[] {
  const { values, offsets, ended = [] } = table;
  const rows = Array.from(values, (value, cell) =>
    rowOf(series[cell % series.length], timeOf(table, Math.floor(cell / series.length)), value),
  );
  const last = timeOf(table, offsets.length - 1);
  return [...rows, ...ended.map((one) => rowOf(one, last, NaN, 'ended'))];
}

/** Numbers are compared by value, not by their text. */
function normalize(rows: readonly Row[]): readonly Row[] {
  return rows.map(([at = null, metric = null, value = null, ...rest]) => [
    at,
    metric,
    value === null ? null : String(Number(value)),
    ...rest,
  ]);
}

function sortRows(rows: readonly Row[]): readonly string[] {
  return normalize(rows)
    .map((row) => JSON.stringify(row))
    .toSorted();
}

test(
  'PyArrow, with checksums, DuckDB and pandas find in recordings the values that were written',
  { skip: isWithout('python') },
  async () => {
    const folder = createFolder();
    const [parquet, csv] = [join(folder, 'x.parquet'), join(folder, 'x.csv')];
    await writeTables({ path: parquet, format: 'parquet' }, tables);
    await writeTables({ path: csv, format: 'csv' }, tables);
    const output = execFileSync(peerPath('python'), [script, parquet, csv], {
      maxBuffer: 2 ** 28,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // Output of the script.
    const found = JSON.parse(output.toString()) as Readonly<
      Record<'pyarrow' | 'duckdb' | 'pandas', readonly Row[]>
    >;
    const expected = tables.flatMap(rowsOf);
    assert.deepEqual(normalize(found.pyarrow), normalize(expected));
    assert.deepEqual(normalize(found.duckdb), normalize(expected));
    const readings = expected
      .filter(([, , value]) => value !== null)
      .map(([at = null, metric = null, value = null, , , host = null]) => [at, metric, value, host]);
    // CSV has one row per instant and series.
    assert.deepEqual(sortRows(found.pandas), sortRows(readings));
  },
);
