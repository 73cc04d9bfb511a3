import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { energy, readingAt, rowOf, start, startExporter } from '../../src/export/exporter.fixture.js';
import { testOutages, testTls, type Transport } from '../../src/export/shared-cases.fixture.js';
import { readServerOptions } from '../../src/http/certificate.fixture.js';
import { openHttpBackend, type HttpBackend } from '../../src/http/http-backend.fixture.js';
import { createRow } from '../../src/model/table.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';

interface Document {
  readonly id: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Parses the documents of a bulk request like a server. */
function readBulk(bytes: Buffer): readonly Document[] {
  const lines = bytes.toString().split('\n').slice(0, -1);
  return lines.flatMap((line, i) => {
    if (i % 2 === 1) return [];
    const { create } = JSON.parse(line) as { create: { readonly _id: string } };
    return [{ id: create['_id'], fields: JSON.parse(lines[i + 1] ?? '') as Document['fields'] }];
  });
}

interface ServerOptions {
  readonly port?: number;
  readonly address?: string;
  readonly tls?: object;
  /** Returns the status of a document in a request; requests are numbered from 1. */
  statusOf?(document: Document, request: number): number;
}

/** A server that stores documents as documented for the bulk API. */
async function openStore(t: TestContext, options: ServerOptions = {}) {
  const stored = new Map<string, Document['fields']>();
  const { statusOf = () => 201, ...place } = options;
  const backend: HttpBackend = await openHttpBackend(t, {
    ...place,
    answer(count, bytes) {
      if (!bytes.includes('"create"')) return { body: '{"acknowledged":true}' };
      const items = readBulk(bytes).map((document) => {
        const status = stored.has(document.id) ? 409 : statusOf(document, count);
        if (status < 300) stored.set(document.id, document.fields);
        return {
          create: { status, ...(status < 300 ? {} : { error: { type: `e${status}`, reason: 'r' } }) },
        };
      });
      const errors = items.some(({ create }) => create.status >= 300);
      return { body: JSON.stringify({ errors, items }) };
    },
  });
  const values = () => [...stored.values()].map(({ value }) => Number(value));
  return { ...backend, stored, values, backend };
}

const transport: Transport<typeof factory.schema> = {
  name: 'elasticsearch',
  factory,
  outage: /^warn: Cannot export to .*Keeping data and trying again$/,
  silence: /expected an answer within 200 ms, found none\. Keeping data and trying again/,
  settingsFor: (address) => ({ endpoint: `http://${address}` }),
  async open(t, { certificate, isMutual = false, address, port }) {
    const tls = certificate && { tls: readServerOptions(certificate, isMutual) };
    const store = await openStore(t, { ...(address && { address }), ...(port && { port }), ...tls });
    return { ...store.backend, endpoint: store.url, takenValues: store.values };
  },
};

testOutages(transport);
testTls(transport);

test('elasticsearch writes no start of a counter that has none', async (t) => {
  const store = await openStore(t);
  const { exporter } = await startExporter(t, factory, { endpoint: store.url });
  exporter.consume(createRow([{ ...energy, start: 0n }], start, Float64Array.of(42.5)));
  await exporter.shutdown();
  assert.deepEqual(store.values(), [42.5]);
  assert.ok([...store.stored.values()].every((fields) => !('start' in fields)));
});

test('elasticsearch creates a document for each point, with nanoseconds, and none for gaps', async (t) => {
  const store = await openStore(t);
  const { exporter, read } = await startExporter(t, factory, { endpoint: `${store.url}/es/` });
  exporter.consume(readingAt(1, 42.5));
  exporter.consume(readingAt(2, NaN));
  exporter.consume(readingAt(3, Infinity));
  await exporter.shutdown();
  assert.deepEqual(
    [...store.stored.values()],
    [
      {
        metric: 'hw.energy',
        unit: 'J',
        kind: 'counter',
        start: '2026-11-18T11:06:40.000000001Z',
        resource: { 'host.name': 'node-1' },
        attributes: { 'hw.id': 'package-0', 'hw.type': 'cpu' },
        value: 42.5,
        '@timestamp': '2026-11-18T11:06:41.000000001Z',
      },
    ],
  );
  const [{ path, headers } = { path: '', headers: {} }] = store.received;
  assert.match(path, /^\/es\/metrics-joulemetry-default\/_bulk\?filter_path=errors/);
  assert.equal(headers['content-type'], 'application/x-ndjson');
  assert.equal((await read())['otelcol_exporter_sent_metric_points{otlp}'], 1);
});

test('elasticsearch gives a point the same id whenever it is sent, and each point its own', async (t) => {
  const store = await openStore(t);
  const other = { ...energy, attributes: { 'hw.id': 'package-1' } };
  const restarted = { ...energy, start: start + 1n };
  for (const _ of [1, 2]) {
    const { exporter, read } = await startExporter(t, factory, { endpoint: store.url });
    exporter.consume(readingAt(1, 5));
    exporter.consume(readingAt(2, 5));
    exporter.consume(createRow([other, restarted], start + 1_000_000_000n, Float64Array.of(5, 5)));
    await exporter.shutdown();
    const metrics = await read();
    assert.equal(metrics['otelcol_exporter_sent_metric_points{otlp}'], 4);
    assert.equal(metrics['otelcol_exporter_send_failed_metric_points{otlp}'], 0);
  }
  assert.equal(store.stored.size, 4);
});

const isOdd = ({ fields }: Document) => Number(fields['value']) % 2 === 1;

test('elasticsearch sends again only the documents that the server was too busy for', async (t) => {
  const store = await openStore(t, {
    statusOf: (document, request) => (request === 1 && isOdd(document) ? 429 : 201),
  });
  const { exporter, log, read } = await startExporter(t, factory, { endpoint: store.url });
  exporter.consume(rowOf(101));
  await until(() => store.stored.size === 101);
  await exporter.shutdown();
  assert.deepEqual(
    store.received.map(({ bytes }) => readBulk(bytes).length),
    [101, 50],
  );
  assert.match(
    log.lines[0] ?? '',
    /: 50 of 101 documents were not accepted: HTTP 429, e429: r\. Keeping data/,
  );
  assert.equal((await read())['otelcol_exporter_sent_metric_points{otlp}'], 101);
});

test('elasticsearch counts documents that are refused, with the reason for the first', async (t) => {
  const store = await openStore(t, {
    statusOf: ({ fields }, request) => {
      if (Number(fields['value']) < 10) return 400;
      return request === 1 && Number(fields['value']) < 20 ? 503 : 201;
    },
  });
  const { exporter, log, read } = await startExporter(t, factory, { endpoint: store.url });
  exporter.consume(rowOf(100));
  await until(() => store.stored.size === 90);
  await exporter.shutdown();
  const metrics = await read();
  assert.equal(metrics['otelcol_exporter_sent_metric_points{otlp}'], 90);
  assert.equal(metrics['joulemetry.exporter.dropped{otlp,partial_success}'], 10);
  assert.match(log.lines.join('\n'), /Lost 10 points .*taken without them: HTTP 400, e400: r/);
});

test('elasticsearch uses the next node, when one does not answer', async (t) => {
  const gone = await openStore(t);
  await gone.close();
  const store = await openStore(t);
  const { exporter } = await startExporter(t, factory, { endpoints: [gone.url, store.url] });
  exporter.consume(readingAt(1, 5));
  await until(() => store.stored.size === 1);
});

test('elasticsearch creates the index template before the first document when configured', async (t) => {
  const store = await openStore(t);
  const settings = { endpoint: store.url, create_index_template: true, metrics_index: 'metrics-energy-lab' };
  const { exporter } = await startExporter(t, factory, settings);
  exporter.consume(readingAt(1, 5));
  await until(() => store.stored.size === 1);
  exporter.consume(readingAt(2, 5));
  await until(() => store.stored.size === 2);
  assert.deepEqual(
    store.received.map(({ path }) => path.replace(/\?.*/u, '')),
    ['/_index_template/joulemetry', '/metrics-energy-lab/_bulk', '/metrics-energy-lab/_bulk'],
  );
  const template = JSON.parse(store.received[0]?.bytes.toString() ?? '') as Record<string, unknown>;
  assert.deepEqual(template['index_patterns'], ['metrics-energy-lab']);
});

test('elasticsearch sends a request again whose answer is unreadable, since ids make that safe', async (t) => {
  const backend = await openHttpBackend(t, {
    answer: (count) => ({ body: count === 1 ? 'hello' : '{"errors":false,"items":[]}' }),
  });
  const { exporter, log } = await startExporter(t, factory, { endpoint: backend.url });
  exporter.consume(readingAt(1, 5));
  await until(() => backend.received.length === 2);
  assert.match(log.lines[0] ?? '', /Cannot read the answer: .*Keeping data/);
});

test('elasticsearch sends an API key from the settings or from a file', async (t) => {
  const store = await openStore(t);
  const file = join(createFolder(), 'key');
  writeFileSync(file, 'c2VjcmV0\n');
  const logins = [
    { api_key: 'a2V5' },
    { user: 'me', password: 'it' },
    { credentials: { bearer_token_file: file, scheme: 'ApiKey' } },
  ];
  for (const login of logins) {
    const { exporter } = await startExporter(t, factory, { endpoint: store.url, ...login });
    exporter.consume(readingAt(1, 5));
    await exporter.shutdown();
  }
  assert.deepEqual(
    store.received.map(({ headers }) => headers.authorization),
    ['ApiKey a2V5', 'Basic bWU6aXQ=', 'ApiKey c2VjcmV0'],
  );
});

const check = (settings: Record<string, unknown>) => factory.check?.(parseSettings(factory.schema, settings));

test('elasticsearch checks settings that contradict each other', () => {
  assert.deepEqual(check({}), []);
  assert.deepEqual(check({ endpoint: 'http://a', endpoints: ['b:9200'], metrics_index: 'A b', user: 'me' }), [
    'endpoint: expected endpoint or endpoints, found both',
    'endpoints[0]: expected an address that begins with http:// or https://',
    'metrics_index: expected a name in small letters that Elasticsearch takes, found "A b"',
    'user: expected user and password together, found only one of them',
  ]);
  assert.deepEqual(check({ user: 'me', password: 'it', api_key: 'x' }), [
    'user: expected one of user, api_key, credentials and the header authorization, found several',
  ]);
});
