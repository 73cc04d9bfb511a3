import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { QueuedRequest } from '../component/queue-storage.js';
import { histogramOf, histogramTable, rowOf } from '../model/histogram.fixture.js';
import { PointStream } from '../recording/decoder.js';
import { histogramColumns } from '../recording/histogram-columns.js';
import { anyHistograms, flattenHistograms } from '../recording/histogram-tables.fixture.js';
import { isHistograms, type RecordedTable } from '../recording/recorded-table.js';
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
import { createHistogramRequest, parseHistogramRequest } from './histogram-request.js';
import { openSqlite } from './sqlite.js';
import { SqliteBatcher } from './sqlite-batcher.js';
import type { SqliteValue } from './sqlite-database.js';
import { SqliteDecoder } from './sqlite-decoder.js';
import { SqliteFile } from './sqlite-file.js';
import { noSqlite } from './sqlite.fixture.js';

const limits = { max_points: 100, max_bytes: 2 ** 20 };
const options = { maxAgeMs: 0, synchronous: 'normal', busyTimeoutMs: 0 } as const;
const skip = noSqlite;

/** A new file with these tables. */
function write(tables: readonly RecordedTable[], path = join(createFolder(), 'a.db')): string {
  const file = new SqliteFile({ ...options, path });
  const batcher = new SqliteBatcher(limits, ({ bytes }) => file.write(bytes));
  for (const table of tables) {
    if (isHistograms(table)) batcher.addHistograms(table);
    else batcher.add(table);
  }
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

test('SQLite restores any tables', { skip }, () => {
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

test('SQLite restores any histograms, even among numbers', { skip }, () => {
  const folder = createFolder();
  let files = 0;
  fc.assert(
    fc.property(anyTables, anyHistograms, (numbers, histograms) => {
      const path = write([...histograms, ...numbers], join(folder, `${files++}.db`));
      const { tables, histogramTables, notes } = read(path);
      assert.deepEqual(notes, []);
      assert.deepEqual(sortPoints(flatten(tables)), sortPoints(flatten(numbers)));
      assert.deepEqual(flattenHistograms(histogramTables), flattenHistograms(histograms));
    }),
    { numRuns: 50 },
  );
});

/** A table `numbers` of a query, with a column `n`. */
function withNumbers(from: number, to: number): string {
  return `WITH RECURSIVE numbers (n) AS (SELECT ${from} UNION ALL SELECT n + 1 FROM numbers WHERE n < ${to})`;
}

test('SqliteDecoder.read yields after a number of points, including histograms', { skip }, () => {
  const histograms = histogramTable([[histogramOf(), 1, rowOf([1, 2, 3])]]);
  const path = write([...createMeasurements(1_800_000_000_000_000_000n).slice(0, 1), histograms]);
  const database = openSqlite(path);
  const columns = histogramColumns.join(', ');
  // Numbers at 0, 2, 4 and so on, histograms in between, then many histograms without a number.
  database.execute(
    `${withNumbers(0, 30_000)} INSERT INTO points (time, series_id, value)
      SELECT 2 * n, (SELECT min(series_id) FROM points), 1 FROM numbers;
    ${withNumbers(1, 30_000)} INSERT INTO histograms (time, series_id, ${columns})
      SELECT 2 * n + 1, series_id, ${columns} FROM histograms, numbers;
    ${withNumbers(1, 50_000)} INSERT INTO histograms (time, series_id, ${columns})
      SELECT 100000 + n, series_id, ${columns} FROM histograms, numbers WHERE time = 1;`,
  );
  const sink = createSink();
  const pauses = [...new SqliteDecoder(sink, new PointStream(sink)).read(database)];
  database.close();
  assert.equal(pauses.length, 2);
});

test('the query of the README finds the requests of the last hour by bucket', { skip }, () => {
  const now = Date.now() * 1e6;
  const series = histogramOf();
  const path = write([
    histogramTable([
      [series, now - 7200e9, rowOf([0, 0, 0])],
      [series, now - 60e9, rowOf([1, 2, 3])],
      [series, now, rowOf([2, 2, 10])],
    ]),
  ]);
  const [, , , sql = ''] = readQueries('exporters/sqlite/README.md');
  assert.deepEqual(query(path, sql), [
    ['shop', 0.1, 1n],
    ['shop', 1n, 0n],
    ['shop', null, 7n],
  ]);
});

test('buckets, counts and sums of histograms can be queried in SQLite', { skip }, () => {
  const row = rowOf([1, 2, 3], { sum: 4.5, min: 0.01, max: 2 });
  const series = histogramOf({ attributes: { 'http.route': '/' }, start: 5n });
  const path = write([histogramTable([[series, 1_800_000_000_000_000_000, row]])]);
  assert.deepEqual(
    query(path, 'SELECT time, metric, unit, kind, service, count, sum, min, max, bounds FROM distributions'),
    [
      [
        '2027-01-15T08:00:00.000Z',
        'http.server.request.duration',
        's',
        'histogram',
        'shop',
        6n,
        4.5,
        0.01,
        2,
        '[0.1,1]',
      ],
    ],
  );
  const buckets = query(
    path,
    `SELECT bound.value AS upper, counts.value AS count FROM distributions, json_each(bucket_counts) AS counts
      LEFT JOIN json_each(bounds) AS bound ON bound.key = counts.key`,
  );
  assert.deepEqual(buckets, [
    [0.1, 1n],
    [1n, 2n],
    [null, 3n],
  ]);
});

test('an invalid histogram, or one without a series, is reported, and all others are read', { skip }, () => {
  const [good, bad, lost] = ['good', 'bad', 'lost'].map((name) => histogramOf({ name }));
  const row = rowOf([1, 2, 3], { sum: 4.5 });
  const path = write([histogramTable([good, bad, lost].map((series) => [series, 10_000, row]))]);
  const database = openSqlite(path);
  database.execute(
    "UPDATE histograms SET bounds = '[1,' WHERE series_id = (SELECT id FROM series WHERE metric = 'bad')",
  );
  database.execute(`DELETE FROM series WHERE metric = 'lost'`);
  database.close();
  const { histogramTables, notes } = read(path);
  assert.deepEqual(
    histogramTables.flatMap((table) => table.series.map(({ metric }) => metric.name)),
    ['good'],
  );
  assert.deepEqual(notes, [
    'Cannot read histogram "bad": expected a list of numbers in the column "bounds", found "[1,"',
    'expected the series of every point, found 1 points without',
  ]);
});

test(
  'a file of a version without histograms is read, and gets a table for them when it is written',
  { skip },
  () => {
    const now = BigInt(Date.now()) * 1_000_000n;
    const tables = createMeasurements(now);
    const path = write(tables);
    const old = openSqlite(path);
    old.execute('DROP VIEW distributions');
    old.execute('DROP TABLE histograms');
    old.close();
    assert.equal(flatten(read(path).tables).length, flatten(tables).length);
    write([histogramTable([[histogramOf(), 10_000, rowOf([1, 2, 3])]])], path);
    const { tables: numbers, histogramTables } = read(path);
    assert.equal(flatten(numbers).length, flatten(tables).length);
    assert.equal(histogramTables.length, 1);
  },
);

test('requests of histograms are split into single ones, and other bytes are refused', () => {
  fc.assert(
    fc.property(anyHistograms, fc.integer({ min: 1, max: 20 }), (histograms, maxPoints) => {
      const lines: string[] = [];
      const batcher = new SqliteBatcher({ max_points: maxPoints, max_bytes: 2000 }, ({ bytes }) => {
        lines.push(
          ...splitFully(createHistogramRequest({ bytes, points: parseHistogramRequest(bytes).length })),
        );
      });
      for (const table of histograms) batcher.addHistograms(table);
      batcher.flush();
      const points = flattenHistograms(histograms);
      assert.equal(batcher.points, 0);
      assert.equal(lines.length, points.length);
      assert.ok(lines.every((line) => parseHistogramRequest(Buffer.from(line)).length === 1));
    }),
  );
  for (const text of ['[', '[]\n', '["1","2",[],[1]]\n', '["1","x",[],null]\n', '["1","2",[],null]']) {
    assert.throws(() => parseHistogramRequest(Buffer.from(text)), /found other bytes/u);
  }
});

function splitFully(request: QueuedRequest): readonly string[] {
  return request.split?.()?.flatMap(splitFully) ?? [Buffer.from(request.bytes).toString()];
}

test(
  'SQLite has the same counts and sums as an independent OTLP decoder, and answers the queries of the README',
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

test('SQLite stores a repeated request once, and the end of a series until it restarts', { skip }, () => {
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

test('SQLite reports points without a series, and invalid series', { skip }, () => {
  const path = write(createMeasurements(1_800_000_000_000_000_000n));
  const database = openSqlite(path);
  database.execute(
    "DELETE FROM series WHERE program LIKE '%''1''%'; UPDATE series SET kind = 'x' WHERE pid = 2",
  );
  database.close();
  const { notes } = read(path);
  assert.deepEqual(notes, [
    'expected a series of kind gauge, counter, updowncounter, histogram or exponential_histogram, found "x"',
    'expected the series of every point, found 200 points without',
  ]);
});
