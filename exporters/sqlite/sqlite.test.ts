import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readingAt, startExporter } from '../../src/export/exporter.fixture.js';
import { countPoints } from '../../src/model/table.js';
import { checkDamagedRequest } from '../../src/sql/damaged-request.fixture.js';
import { createMeasurements } from '../../src/sql/databases.fixture.js';
import { openSqlite } from '../../src/sql/sqlite.js';
import { noSqlite } from '../../src/sql/sqlite.fixture.js';
import { noSmallDisk, onSmallDisk } from '../../src/testing/small-disk.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';

const skip = noSqlite;

async function open(t: TestContext, settings: Record<string, unknown> = {}) {
  const path = join(createFolder(), 'energy.db');
  const started = await startExporter(t, factory, { path, ...settings });
  const written = () => until(() => started.exporter.readBacklog?.() === 0);
  return { path, written, ...started };
}

function readValues(path: string): readonly unknown[] {
  const database = openSqlite(path, { isReadOnly: true });
  const rows = [...database.prepare('SELECT value FROM points ORDER BY time').rows()];
  database.close();
  return rows.flat();
}

test('sqlite writes everything to a file of its user alone, and counts it', { skip }, async (t) => {
  const { path, exporter, log, read } = await open(t);
  const tables = createMeasurements(1_800_000_000_000_000_000n);
  for (const table of tables) assert.equal(exporter.consume(table), true);
  await exporter.shutdown();
  assert.deepEqual(log.lines, []);
  const cells = tables.reduce((sum, table) => sum + countPoints(table), 0);
  assert.equal(readValues(path).length, cells);
  assert.equal((await read())['otelcol_exporter_sent_metric_points{otlp}'], cells + 2);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('sqlite lets others read meanwhile, and waits for one that writes', { skip }, async (t) => {
  const { path, exporter, log, written } = await open(t, { busy_timeout: '1ms' });
  exporter.consume(readingAt(1, 1));
  await written();
  assert.deepEqual(readValues(path), [1]);
  const other = openSqlite(path);
  other.execute('BEGIN IMMEDIATE');
  exporter.consume(readingAt(2, 2));
  await until(() => log.lines.length > 0);
  assert.match(
    log.lines[0] ?? '',
    /^warn: Cannot export to .*energy\.db: database is locked \(SQLite error 5\)\. Keeping data/u,
  );
  assert.deepEqual(readValues(path), [1]);
  other.execute('COMMIT');
  other.close();
  await written();
  assert.deepEqual(readValues(path), [1, 2]);
});

test('sqlite drops a damaged request at once, and counts it', { skip }, (t) =>
  checkDamagedRequest(t, factory, { path: join(createFolder(), 'energy.db') }),
);

test('sqlite begins another file where its own was moved away', { skip }, async (t) => {
  const { path, exporter, written } = await open(t);
  exporter.consume(readingAt(1, 1));
  await written();
  for (const end of ['', '-wal', '-shm']) renameSync(path + end, `${path}.old${end}`);
  exporter.consume(readingAt(2, 2));
  await written();
  assert.deepEqual(readValues(path), [2]);
  assert.deepEqual(readValues(`${path}.old`), [1]);
});

test('sqlite keeps what it has while its file is damaged', { skip }, async (t) => {
  const { path, exporter, log, written } = await open(t);
  exporter.consume(readingAt(1, 1));
  await exporter.shutdown();
  const second = await startExporter(t, factory, { path });
  truncateSync(path, 5000);
  second.exporter.consume(readingAt(2, 2));
  await until(() => second.log.lines.some((line) => line.includes('database disk image is malformed')));
  renameSync(path, `${path}.damaged`);
  await until(() => second.exporter.readBacklog?.() === 0);
  assert.deepEqual(readValues(path), [2]);
  assert.deepEqual(log.lines, []);
  await written();
});

test('sqlite says at the start what it can never write', { skip }, async (t) => {
  const folder = createFolder();
  const path = join(folder, 'text.db');
  writeFileSync(path, 'some text, longer than the header of a database'.repeat(20));
  for (const [settings, reason] of [
    [{ path }, /Cannot write .*text\.db: expected a SQLite database, found another file/u],
    [
      { path: '/nowhere/a.db' },
      /Cannot write \/nowhere\/a\.db: ENOENT, its folder \/nowhere cannot be written/u,
    ],
  ] as const)
    await assert.rejects(startExporter(t, factory, settings), reason);
});

test('sqlite deletes what is older than max_age', { skip }, async (t) => {
  const { path, exporter } = await open(t);
  const now = BigInt(Date.now()) * 1_000_000n;
  for (const table of createMeasurements(now - 7_200_000_000_000n)) exporter.consume(table);
  await exporter.shutdown();
  const second = await open(t, { path, max_age: '1h' });
  second.exporter.consume({ ...readingAt(1, 7), epoch: now });
  await until(() => readValues(path).length === 1);
  assert.deepEqual(readValues(path), [7]);
  await second.exporter.shutdown();
  const database = openSqlite(path);
  const ended = database.prepare('SELECT count(*) FROM series WHERE end_time IS NOT NULL');
  assert.deepEqual([...ended.rows()], [[0n]]);
  database.close();
});

test('sqlite loses nothing when a full disk has room again', { skip: skip || noSmallDisk }, (t) =>
  onSmallDisk(async (folder) => {
    const path = join(folder, 'energy.db');
    const filler = join(folder, 'filler');
    const { exporter, log, written } = await open(t, { path });
    exporter.consume(readingAt(1, 1));
    await written();
    for (let kibibytes = 128; kibibytes >= 4; kibibytes /= 2) fill(filler, kibibytes);
    for (let second = 2; second <= 5000; second++) exporter.consume(readingAt(second, second));
    await until(() => log.lines.some((line) => line.includes('database or disk is full (SQLite error 13)')));
    assert.deepEqual(readValues(path), [1]);
    rmSync(filler);
    execFileSync('mount', ['-o', 'remount,size=4m', folder]);
    await written();
    assert.equal(readValues(path).length, 5000);
    await exporter.shutdown();
  }),
);

/** Appends as much as there is room for. */
function fill(path: string, kibibytes: number): void {
  try {
    for (;;) appendFileSync(path, Buffer.alloc(kibibytes * 1024));
  } catch {
    // Less may fit.
  }
}
