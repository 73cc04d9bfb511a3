import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { factory } from '../../exporters/postgres/factory.js';
import { energy, readingAt, start, startExporter } from '../../src/export/exporter.fixture.js';
import { createCertificate } from '../../src/http/certificate.fixture.js';
import { countPoints, type Table } from '../../src/model/table.js';
import {
  createMeasurements,
  decodeIndependently,
  joulesByProgram,
  readQueries,
  summarize,
} from '../../src/sql/databases.fixture.js';
import { until } from '../../src/testing/until.js';
import { isWithout } from './peers.js';
import { createDatabase, startCluster, type Cluster } from './postgres-cluster.js';

const skip = isWithout('postgres');

async function openCluster(t: TestContext, tls?: Parameters<typeof startCluster>[1]) {
  const cluster = await startCluster(t, tls);
  const server = await cluster.start();
  createDatabase(cluster);
  return { cluster, server };
}

function settingsOf({ port, passwordFile }: Cluster, more: Record<string, unknown> = {}) {
  return {
    endpoint: `localhost:${port}`,
    password_file: passwordFile,
    tls: { insecure: true },
    sending_queue: { drop: 'newest' },
    ...more,
  };
}

async function send(t: TestContext, cluster: Cluster, tables: readonly Table[], more = {}) {
  const { exporter, log, read } = await startExporter(t, factory, settingsOf(cluster, more));
  for (const table of tables) exporter.consume(table);
  await until(() => exporter.readBacklog?.() === 0);
  await exporter.shutdown();
  return { log: log.lines, metrics: await read() };
}

const summary = `SELECT metric, count(value), sum(value) FROM joulemetry.measurements GROUP BY metric`;

function readSummary({ query }: Cluster) {
  return Object.fromEntries(
    query(summary).map((row) => {
      const [metric = '', count, sum] = row.split('|');
      return [metric, [Number(count), Number(sum)]];
    }),
  );
}

test(
  'PostgreSQL has the same counts and sums as an independent OTLP decoder, and answers the queries of the README',
  { skip },
  async (t) => {
    const { cluster } = await openCluster(t);
    const now = BigInt(Date.now()) * 1_000_000n;
    const tables = createMeasurements(now);
    const points = decodeIndependently(tables);
    const { log, metrics } = await send(t, cluster, tables);
    assert.deepEqual(log, []);
    const cells = tables.reduce((sum, table) => sum + countPoints(table) + (table.ended?.length ?? 0), 0);
    assert.equal(metrics['otelcol_exporter_sent_metric_points{otlp}'], cells);
    assert.deepEqual(readSummary(cluster), summarize(points));
    assert.deepEqual(cluster.query('SELECT count(*) FROM joulemetry.points WHERE value IS NULL'), ['1']);
    assert.deepEqual(cluster.query('SELECT count(*) FROM joulemetry.series WHERE end_time IS NOT NULL'), [
      '2',
    ]);
    assert.deepEqual(
      cluster.query(
        `SELECT DISTINCT resource->>'process.executable.name' FROM joulemetry.series WHERE pid = 3`,
      ),
      [`program '3' "\\u0000" ü`],
    );

    const [watts = '', joules = '', top = ''] = readQueries('exporters/postgres/README.md');
    const minutes = cluster.query(watts).map((row) => Number(row.split('|')[1]));
    assert.ok(minutes.length >= 2, minutes.join());
    // 20 W except for one second without a preceding reading of DRAM, and 2.5 W.
    assert.equal(
      Math.round(1e6 * 60 * minutes.reduce((sum, one) => sum + one, 0)),
      1e6 * (100 * 20 + 99 * 2.5),
    );
    const since = now - 3_600_000_000_000n;
    const expected = joulesByProgram(points, since);
    assert.deepEqual(
      cluster.query(joules).map((row) => [row.split('|')[1], Number(row.split('|')[3])]),
      expected,
    );
    assert.deepEqual(
      cluster.query(top).map((row) => [row.split('|')[0], Number(row.split('|')[1])]),
      expected.slice(0, 10),
    );
  },
);

test('PostgreSQL stores series and points once, even when requests are repeated', { skip }, async (t) => {
  const { cluster } = await openCluster(t);
  const tables = createMeasurements(1_800_000_000_000_000_000n);
  await send(t, cluster, tables);
  const [series, first] = [cluster.query('SELECT count(*) FROM joulemetry.series'), readSummary(cluster)];
  const { log } = await send(t, cluster, tables, { batch: { max_points: 100 } });
  assert.deepEqual(log, []);
  assert.deepEqual(cluster.query('SELECT count(*) FROM joulemetry.series'), series);
  assert.deepEqual(readSummary(cluster), first);
  assert.deepEqual(cluster.query('SELECT count(*) FROM joulemetry.series WHERE end_time IS NOT NULL'), ['2']);
});

test(
  'PostgreSQL receives points that were accepted while it was down, and points interrupted by a kill',
  { skip },
  async (t) => {
    const { cluster, server } = await openCluster(t);
    const { exporter } = await startExporter(t, factory, settingsOf(cluster));
    const count = () => Number(cluster.query('SELECT count(*) FROM joulemetry.points')[0]);
    exporter.consume(readingAt(1, 1));
    await until(() => exporter.readBacklog?.() === 0);
    await server.stop('SIGQUIT');
    for (let second = 2; second <= 50; second++) exporter.consume(readingAt(second, second));
    await cluster.start();
    await until(() => exporter.readBacklog?.() === 0);
    assert.equal(count(), 50);
  },
);

test('postgres reports the SQLSTATE of a refusal, and retries when it is temporary', { skip }, async (t) => {
  const { cluster } = await openCluster(t);
  writeFileSync(cluster.passwordFile, 'wrong');
  const refused = await startExporter(t, factory, settingsOf(cluster));
  refused.exporter.consume(readingAt(1, 1));
  await until(() => refused.log.lines.some((line) => /SQLSTATE 28P01, .*; check username/u.test(line)));
  writeFileSync(cluster.passwordFile, 'it is "secret"\n');
  await until(() => refused.exporter.readBacklog?.() === 0);

  cluster.query('ALTER TABLE joulemetry.points ADD CHECK (value < 5)');
  const checked = await send(t, cluster, [readingAt(2, 7)]);
  assert.match(checked.log.join('\n'), /Lost 1 points .*SQLSTATE 23514, /u);

  cluster.query('ALTER ROLE joulemetry SET default_transaction_read_only = on');
  const { exporter, log } = await startExporter(t, factory, settingsOf(cluster));
  exporter.consume(readingAt(3, 3));
  await until(() => log.lines.some((line) => line.includes('SQLSTATE 25006')));
  cluster.query('ALTER ROLE joulemetry RESET default_transaction_read_only');
  await until(() => exporter.readBacklog?.() === 0);
  assert.deepEqual(cluster.query('SELECT value FROM joulemetry.points ORDER BY time'), ['1', '3']);
});

test('postgres writes over TLS, and refuses a certificate that it does not trust', { skip }, async (t) => {
  const certificate = createCertificate();
  const { cluster } = await openCluster(t, certificate);
  const trusting = await send(t, cluster, [readingAt(1, 1)], { tls: { ca_file: certificate.certFile } });
  assert.deepEqual(trusting.log, []);
  assert.equal(cluster.query('SELECT count(*) FROM joulemetry.points')[0], '1');
  const { exporter, log } = await startExporter(t, factory, settingsOf(cluster, { tls: {} }));
  exporter.consume(readingAt(2, 2));
  await until(() => log.lines.some((line) => /self-signed certificate/u.test(line)));
});

test('postgres writes values that PostgreSQL cannot hold in a form that it can', { skip }, async (t) => {
  const { cluster } = await openCluster(t);
  const attributes = { 'hw.id': 'a\u0000b\uD800', note: '\\u0000', 'k\u0000': '\uDFFF😀', big: 2 ** 70 };
  const odd = { ...readingAt(1, Infinity), series: [{ ...energy, attributes }], epoch: start + 1999n };
  const { log } = await send(t, cluster, [odd]);
  assert.deepEqual(log, []);
  const row = `SELECT device, attributes->>'note', attributes->>'k\uFFFD', value, to_char(time AT TIME ZONE 'UTC', 'US') FROM joulemetry.measurements`;
  assert.deepEqual(cluster.query(row), ['a\uFFFDb\uFFFD|\\u0000|\uFFFD😀|Infinity|000002']);
});
