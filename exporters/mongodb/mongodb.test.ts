import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { energy, readingAt, rowOf, start, startExporter } from '../../src/export/exporter.fixture.js';
import { testOutages, type Transport } from '../../src/export/shared-cases.fixture.js';
import type { Series } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import { openMongoServer } from './mongo-server.fixture.js';
import { nestAttributes, queueFormat } from './queued-points.js';

const transport: Transport<typeof factory.schema> = {
  name: 'mongodb',
  factory,
  outage: /^warn: Cannot export to joulemetry\.metrics at .*Keeping data and trying again$/,
  silence: /timed out.*Keeping data and trying again/,
  settingsFor: (address) => ({ endpoint: `mongodb://${address}`, timeout: '5s' }),
  async open(t, { answer, ...options }) {
    const server = await openMongoServer(t, {
      ...options,
      answer: (count) => (answer?.(count).isSilent ? undefined : {}),
    });
    return {
      endpoint: server.endpoint,
      port: server.port,
      received: server.stored,
      takenValues: () => server.takenValues(),
      close: () => server.close(),
    };
  },
};

testOutages(transport);

test('mongodb creates a time series and inserts a document for each point, without gaps', async (t) => {
  const server = await openMongoServer(t);
  const settings = { endpoint: server.endpoint, expire_after_seconds: 86_400 };
  const { exporter, read } = await startExporter(t, factory, settings);
  exporter.consume(readingAt(1, 42.5));
  exporter.consume(readingAt(2, NaN));
  const count = { ...energy, metric: { ...energy.metric, valueType: 'int' as const } };
  exporter.consume(createRow([count], start - 1n, Float64Array.of(2 ** 40)));
  await exporter.shutdown();
  const [create, insert] = server.commands;
  assert.deepEqual(
    [create?.['create'], create?.['timeseries'], create?.['expireAfterSeconds']],
    ['metrics', { timeField: 'timestamp', metaField: 'meta', granularity: 'seconds' }, 86_400],
  );
  assert.deepEqual(
    [insert?.['insert'], insert?.['$db'], insert?.['ordered']],
    ['metrics', 'joulemetry', false],
  );
  const meta = {
    metric: 'hw.energy',
    unit: 'J',
    kind: 'counter',
    resource: { host: { name: 'node-1' } },
    attributes: { hw: { id: 'package-0', type: 'cpu' } },
    start: new Date(1_795_000_000_000),
  };
  const found = server.stored.map(({ timestamp, nanoseconds = 0, meta: of, value }) => [
    timestamp,
    Number(nanoseconds),
    of,
    Number(value),
    value?.constructor.name,
  ]);
  assert.deepEqual(found, [
    [new Date(1_795_000_001_000), 1, meta, 42.5, 'Double'],
    [new Date(1_795_000_000_000), 0, meta, 2 ** 40, 'Long'],
  ]);
  assert.equal((await read())['otelcol_exporter_sent_metric_points{otlp}'], 2);
});

test('mongodb counts documents that are rejected, and treats existing ones as delivered', async (t) => {
  const server = await openMongoServer(t, {
    answer: () => ({
      writeErrors: [
        { index: 1, code: 11_000, errmsg: 'duplicate key' },
        { index: 2, code: 121, errmsg: 'validation failed' },
      ],
    }),
  });
  const settings = { endpoint: server.endpoint, time_series: false };
  const { exporter, log, read } = await startExporter(t, factory, settings);
  exporter.consume(rowOf(5));
  await exporter.shutdown();
  const metrics = await read();
  assert.equal(metrics['otelcol_exporter_sent_metric_points{otlp}'], 4);
  assert.equal(metrics['joulemetry.exporter.dropped{otlp,partial_success}'], 1);
  assert.match(log.lines.join('\n'), /Lost 1 points .*taken without them: validation failed/);
  const ids = new Set(server.stored.map(({ _id }) => String(_id)));
  assert.equal(ids.size, 3);
  assert.match([...ids][0] ?? '', /^[0-9a-z]+-[\w-]{22}$/);
});

test('mongodb retries according to error labels, and only what was not inserted', async (t) => {
  const server = await openMongoServer(t, {
    answer: (count) =>
      count === 2
        ? { ok: 0, code: 91, errmsg: 'shutdown in progress', errorLabels: ['RetryableWriteError'] }
        : {},
  });
  const { exporter, log, read } = await startExporter(t, factory, { endpoint: server.endpoint });
  exporter.consume(rowOf(1200));
  await until(() => server.stored.length >= 1200);
  await exporter.shutdown();
  assert.deepEqual(
    server.takenValues(),
    Array.from({ length: 1200 }, (_, id) => id),
  );
  assert.match(log.lines[0] ?? '', /^warn: Cannot export to .*shutdown in progress\. Keeping data/);
  assert.equal((await read())['otelcol_exporter_sent_metric_points{otlp}'], 1200);
});

test('mongodb drops what is rejected permanently', async (t) => {
  const server = await openMongoServer(t, {
    answer: () => ({ ok: 0, code: 73, errmsg: 'Invalid namespace' }),
  });
  const { exporter, log } = await startExporter(t, factory, { endpoint: server.endpoint });
  exporter.consume(readingAt(1, 5));
  await until(() => log.lines.length > 0);
  assert.match(log.lines[0] ?? '', /^error: Lost 1 points .*refused for good: Invalid namespace/);
});

test('mongodb retries when there was no answer in time', async (t) => {
  const server = await openMongoServer(t, { answer: (count) => (count === 1 ? undefined : {}) });
  const settings = { endpoint: server.endpoint, timeout: '300ms' };
  const { exporter, log } = await startExporter(t, factory, settings);
  exporter.consume(readingAt(1, 7));
  await until(() => server.stored.length === 1);
  assert.match(log.lines[0] ?? '', /^warn: Cannot export to .*timed out.*Keeping data/);
});

test('mongodb reports which file it cannot read, and rejects inconsistent settings', async (t) => {
  const auth = { username: 'me', password_file: '/nowhere' };
  await assert.rejects(
    startExporter(t, factory, { auth }),
    /Cannot read auth\.password_file "\/nowhere": ENOENT/,
  );
  const check = factory.check?.(
    parseSettings(factory.schema, { endpoint: 'mongodb://me:it@localhost', auth: { username: 'me' } }),
  );
  assert.deepEqual(check, [
    'endpoint: expected mongodb:// or mongodb+srv:// and servers without user and password',
    'auth: expected username and password_file together, found only one of them',
  ]);
});

const describe = (series: Series): string => queueFormat.describeSeries(series)?.text ?? '';

test('mongodb writes no start of a counter that has none', () => {
  assert.match(describe(energy), /"startMs":1795000000000/u);
  assert.doesNotMatch(describe({ ...energy, start: 0n }), /startMs/u);
});

test('nest converts dotted names to objects, unless a full name is the prefix of another', () => {
  const nested = nestAttributes({ 'host.name': 'a', 'host.id': 'b', process: 'c', 'process.pid': 7 });
  assert.deepEqual(JSON.parse(JSON.stringify(nested)), {
    host: { name: 'a', id: 'b' },
    process: 'c',
    'process.pid': 7,
  });
});
