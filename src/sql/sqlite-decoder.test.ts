import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Table } from '../model/table.js';
import { PointStream } from '../recording/decoder.js';
import { anyTables, createSink, flatten, sortPoints } from '../recording/recording.fixture.js';
import { fc } from '../testing/fixed-seed.fixture.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import {
  createMeasurements,
  decodeIndependently,
  joulesByProgram,
  readQueries,
  summarize,
} from './databases.fixture.js';
import { SqlBatcher } from './sql-batcher.js';
import { openSqlite } from './sqlite.js';
import type { SqliteValue } from './sqlite-database.js';
import { SqliteDecoder } from './sqlite-decoder.js';
import { SqliteFile } from './sqlite-file.js';
import { noSqlite } from './sqlite.fixture.js';

const limits = { max_points: 100, max_bytes: 2 ** 20 };
const options = { maxAgeMs: 0, synchronous: 'normal', busyTimeoutMs: 0 } as const;
const skip = noSqlite;

/** A new file with these tables. */
function write(tables: readonly Table[], path = join(createFolder(), 'a.db')): string {
  const file = new SqliteFile({ ...options, path });
  const batcher = new SqlBatcher(limits, ({ bytes }) => file.write(bytes));
  for (const table of tables) batcher.add(table);
  batcher.flush();
  file.close();
  return path;
}

function read(path: string) {
  const sink = createSink();
  const stream = new PointStream(sink);
  const database = openSqlite(path, { isReadOnly: true });
  for (const _ of new SqliteDecoder(sink, stream).read(database));
  stream.flush();
  database.close();
  return sink;
}

function query(path: string, sql: string): readonly (readonly SqliteValue[])[] {
  const database = openSqlite(path, { isReadOnly: true });
  const rows = [...database.prepare(sql).rows()];
  database.close();
  return rows;
}

test('SQLite gives back what was written, whatever the tables', { skip }, () => {
  const folder = createFolder();
  let files = 0;
  fc.assert(
    fc.property(anyTables, (tables) => {
      const { tables: found, notes } = read(write(tables, join(folder, `${files++}.db`)));
      assert.deepEqual(notes, []);
      assert.deepEqual(sortPoints(flatten(found)), sortPoints(flatten(tables)));
    }),
    { numRuns: 50 },
  );
});

test(
  'SQLite has the counts and sums of an independent OTLP decoder, and answers the queries of the README',
  { skip },
  () => {
    const now = BigInt(Date.now()) * 1_000_000n;
    const tables = createMeasurements(now);
    const points = decodeIndependently(tables);
    const path = write(tables);
    const sums = query(path, 'SELECT metric, count(value), sum(value) FROM measurements GROUP BY metric');
    assert.deepEqual(
      Object.fromEntries(sums.map(([metric, count, sum]) => [metric, [Number(count), sum]])),
      summarize(points),
    );
    const [watts = '', joules = '', top = ''] = readQueries('exporters/sqlite/README.md');
    const minutes = query(path, watts).map((row) => Number(row[1]));
    assert.equal(
      Math.round(1e6 * 60 * minutes.reduce((sum, one) => sum + one, 0)),
      1e6 * (100 * 20 + 99 * 2.5),
    );
    const expected = joulesByProgram(points, now - 3_600_000_000_000n);
    assert.deepEqual(
      query(path, joules).map((row) => [row[1], row[3]]),
      expected,
    );
    assert.deepEqual(query(path, top), expected.slice(0, 10));
  },
);

test('SQLite has what is written twice once, and the end of a series until it begins again', { skip }, () => {
  const tables = createMeasurements(1_800_000_000_000_000_000n);
  const path = write(tables);
  const first = query(path, 'SELECT * FROM series ORDER BY id');
  write(tables, path);
  assert.deepEqual(query(path, 'SELECT * FROM series ORDER BY id'), first);
  assert.deepEqual(query(path, 'SELECT count(*) FROM series WHERE end_time IS NOT NULL'), [[2n]]);
  const [last] = tables.slice(-1);
  assert.ok(last);
  const ended = tables.flatMap((table) => table.ended ?? []);
  write([{ ...last, series: ended, values: new Float64Array(2) }], path);
  assert.deepEqual(query(path, 'SELECT count(*) FROM series WHERE end_time IS NOT NULL'), [[0n]]);
});

test('SQLite reports points without a series, and series that are none', { skip }, () => {
  const path = write(createMeasurements(1_800_000_000_000_000_000n));
  const database = openSqlite(path);
  database.execute(
    "DELETE FROM series WHERE program LIKE '%''1''%'; UPDATE series SET kind = 'x' WHERE pid = 2",
  );
  database.close();
  const { notes } = read(path);
  assert.deepEqual(notes, [
    'expected a series of kind gauge, counter or updowncounter, found "x"',
    'expected the series of every point, found 200 points without',
  ]);
});
