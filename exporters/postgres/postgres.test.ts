import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openSilentPort, readingAt, startExporter } from '../../src/export/exporter.fixture.js';
import { checkDamagedRequest } from '../../src/sql/damaged-request.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import { openPostgresServer, type Answer, type ServerOptions } from './postgres-server.fixture.js';

const plain = { tls: { insecure: true } };

async function open(t: TestContext, options: ServerOptions = {}, settings: Record<string, unknown> = {}) {
  const server = await openPostgresServer(t, options);
  const started = await startExporter(t, factory, { endpoint: server.endpoint, ...plain, ...settings });
  return { server, ...started };
}

/** Answers that the tables exist, and otherwise with the given function. */
function withTables(answer: (sql: string, count: number) => Answer | undefined = () => undefined) {
  const rows = [{ tables: true, schema: true }];
  return (sql: string, count: number) =>
    sql.startsWith('SELECT to_regclass') ? { rows } : answer(sql, count);
}

function verbsOf(statements: readonly string[]): readonly string[] {
  return statements.map((sql) => sql.trim().split(/\s/u, 1)[0] ?? '');
}

test('postgres writes a request as one transaction, and each series once', async (t) => {
  const { server, exporter, log } = await open(t, { answer: withTables() });
  for (const second of [1, 2]) {
    exporter.consume(readingAt(second, second));
    await until(() => exporter.readBacklog?.() === 0);
  }
  exporter.consume({ ...readingAt(3, 3), ended: readingAt(3, 3).series });
  await exporter.shutdown();
  assert.deepEqual(log.lines, []);
  const requests = [
    'SELECT BEGIN; INSERT COPY INSERT COMMIT',
    'BEGIN; COPY INSERT COMMIT',
    'BEGIN; COPY INSERT UPDATE COMMIT',
  ];
  assert.equal(verbsOf(server.statements).join(' '), requests.join(' '));
  const [, , series = ''] = server.statements;
  assert.match(series, /"metric":"hw\.energy","unit":"J","kind":"counter","host":"node-1","workload":null/u);
  assert.match(series, /"start_time":"2026-11-18T11:06:40.000000001Z","end_time":null\}\]$/u);
  assert.equal(server.copied.length, 3);
});

test('postgres sends a request again with its series, when the answer was lost', async (t) => {
  const lose = withTables((sql, count) => (sql === 'COMMIT' && count < 8 ? 'hang up' : undefined));
  const { server, exporter } = await open(t, { answer: lose });
  exporter.consume(readingAt(1, 1));
  await until(() => verbsOf(server.statements).filter((verb) => verb === 'COMMIT').length === 2);
  await exporter.shutdown();
  assert.deepEqual(server.copied[0], server.copied[1]);
  assert.equal(server.statements.filter((sql) => sql.includes('jsonb_to_recordset')).length, 2);
});

for (const [state, isPassing] of [
  ['40001', true],
  ['53100', true],
  ['57P01', true],
  ['23514', false],
  ['28000', true],
  ['42501', true],
  ['42P01', false],
] as const) {
  test(`postgres ${isPassing ? 'sends again' : 'gives up a request'} after SQLSTATE ${state}`, async (t) => {
    let refusals = 0;
    const refuse = withTables((sql) =>
      sql.startsWith('COPY') && refusals++ === 0 ? { state, message: 'no' } : undefined,
    );
    const { server, exporter, log } = await open(t, { answer: refuse });
    exporter.consume(readingAt(1, 1));
    await until(() => exporter.readBacklog?.() === 0);
    assert.equal(server.copied.length, isPassing ? 1 : 0);
    assert.ok(log.lines[0]?.includes(`SQLSTATE ${state}, no`), log.lines[0]);
  });
}

test('postgres creates missing tables, and a hypertable if configured and the extension exists', async (t) => {
  const nothing = { rows: [{ tables: false, schema: false }] };
  const answer = (sql: string) =>
    sql.startsWith('SELECT to_regclass')
      ? nothing
      : sql.includes('pg_extension')
        ? { rows: [{}] }
        : undefined;
  for (const timescale of ['auto', 'never']) {
    const { server, exporter } = await open(t, { answer }, { timescale, schema: 'it"s' });
    exporter.consume(readingAt(1, 1));
    await until(() => exporter.readBacklog?.() === 0);
    const created = server.statements.filter((sql) => /^\s*CREATE (?!TEMP)/u.test(sql));
    assert.equal(created[0], 'CREATE SCHEMA "it""s"');
    assert.match(created[1] ?? '', /CREATE TABLE "it""s"\.series \(/u);
    const hypertables = server.statements.filter((sql) => sql.includes('create_hypertable'));
    assert.equal(hypertables.length, timescale === 'auto' ? 1 : 0);
  }
});

test('postgres creates nothing, if create_schema is off', async (t) => {
  const { server, exporter } = await open(t, {}, { create_tables: false });
  exporter.consume(readingAt(1, 1));
  await until(() => exporter.readBacklog?.() === 0);
  assert.deepEqual(verbsOf(server.statements), ['BEGIN;', 'INSERT', 'COPY', 'INSERT', 'COMMIT']);
});

test('postgres keeps requests while its password is wrong, and reads it for every connection', async (t) => {
  const password_file = join(createFolder(), 'password');
  writeFileSync(password_file, 'first\n');
  const { exporter, server, log } = await open(
    t,
    { password: 'second', answer: withTables() },
    { password_file },
  );
  exporter.consume(readingAt(1, 1));
  await until(() => log.lines.length > 0);
  const reason =
    'SQLSTATE 28P01, password authentication failed; check username "joulemetry" and password_file';
  assert.ok(log.lines[0]?.startsWith('warn: '), log.lines[0]);
  assert.ok(log.lines[0]?.includes(`${reason} "${password_file}"`), log.lines[0]);
  writeFileSync(password_file, 'second\n');
  await until(() => exporter.readBacklog?.() === 0);
  assert.equal(server.copied.length, 1);
});

test('postgres drops a damaged request at once, and counts it', async (t) => {
  const server = await openPostgresServer(t, { answer: withTables() });
  await checkDamagedRequest(t, factory, { endpoint: server.endpoint, ...plain });
});

test('postgres names a password file that it cannot read', async (t) => {
  const starting = startExporter(t, factory, { password_file: '/nowhere/password' });
  await assert.rejects(starting, /^Error: Cannot read password_file "\/nowhere\/password": ENOENT/u);
});

test('postgres keeps its requests while there is no server, no TLS or no answer', async (t) => {
  const server = await openPostgresServer(t);
  const silent = await openSilentPort(t);
  for (const [settings, reason] of [
    [
      { endpoint: 'localhost:1', ...plain },
      /Cannot export to postgres:\/\/localhost:1\/joulemetry: .*ECONNREFUSED/u,
    ],
    [{ endpoint: server.endpoint }, /server does not support SSL connections; set tls\.insecure/u],
    [{ endpoint: `localhost:${silent}`, timeout: '50ms', ...plain }, /timeout/u],
    [{ endpoint: '/nowhere' }, /ENOENT/u],
  ] as const) {
    const { exporter, log } = await startExporter(t, factory, settings);
    exporter.consume(readingAt(1, 1));
    await until(() => log.lines.some((line) => reason.test(line)));
    assert.ok((exporter.readBacklog?.() ?? 0) > 0);
    await exporter.shutdown(100);
  }
});

test('postgres closes a connection whose server stops answering', async (t) => {
  const { exporter, log } = await open(
    t,
    { answer: withTables((sql) => (sql === 'COMMIT' ? 'silence' : undefined)) },
    {
      timeout: '100ms',
    },
  );
  exporter.consume(readingAt(1, 1));
  await until(() => log.lines.some((line) => line.includes('expected an answer within 100 ms, found none')));
  await exporter.shutdown(100);
});

test('postgres warns of a connection that others can read', async (t) => {
  const { log } = await startExporter(t, factory, { endpoint: 'db.example.com:5432', ...plain });
  assert.match(log.lines[0] ?? '', /^warn: .*db\.example\.com:5432 .*tls\.insecure/u);
});
