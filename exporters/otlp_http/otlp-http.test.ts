import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { readingAt, start, startExporter } from '../../src/export/exporter.fixture.js';
import { createHttpTransport } from '../../src/export/http-transport.fixture.js';
import { setVariables, testAnswers, testOutages, testTls } from '../../src/export/shared-cases.fixture.js';
import { openHttpBackend } from '../../src/http/http-backend.fixture.js';
import { decodePoints } from '../../src/otlp/decode-request.fixture.js';
import { testPartialSuccess } from '../../src/otlp/partial-success.fixture.js';
import { until } from '../../src/testing/until.js';
import { decompressZstd, zstdMissing } from '../../src/zstd.js';
import { decodeValues } from './decode-values.fixture.js';
import { factory } from './factory.js';

const transport = createHttpTransport('otlp_http', factory, { takenValues: decodeValues });

testAnswers(transport);
testPartialSuccess(transport);
testOutages(transport);
testTls(transport);

test('otlp_http delivers points, compressed, to /v1/metrics', async (t) => {
  const backend = await openHttpBackend(t);
  const headers = { authorization: 'Bearer secret' };
  const { exporter, read } = await startExporter(t, factory, { endpoint: backend.url, headers });
  assert.ok(exporter.consume(readingAt(1, 42.5)));
  await exporter.shutdown();
  const [request] = backend.received;
  assert.equal(request.path, '/v1/metrics');
  assert.equal(request.headers['content-type'], 'application/x-protobuf');
  assert.equal(request.headers['content-encoding'], 'gzip');
  assert.equal(request.headers.authorization, 'Bearer secret');
  assert.match(request.headers['user-agent'] ?? '', /^joulemetry\/\d/);
  const [point] = decodePoints(request.bytes);
  assert.deepEqual(
    [point.resource, point.name, point.unit, point.kind, point.start, point.time, point.value],
    [{ 'host.name': 'node-1' }, 'hw.energy', 'J', 'sum 2 true', start, start + 1_000_000_000n, 42.5],
  );
  assert.equal((await read())['otelcol_exporter_sent_metric_points{otlp}'], 1);
});

test('otlp_http compresses with level 1, or with that of compression_params', async (t) => {
  const backend = await openHttpBackend(t);
  for (const level of [undefined, 6, 9]) {
    const params = level === undefined ? {} : { compression_params: { level } };
    const { exporter } = await startExporter(t, factory, { endpoint: backend.url, ...params });
    exporter.consume(readingAt(1, 42.5));
    await exporter.shutdown();
  }
  // RFC 1952, 2.3.1: the extra flags are 4 for the fastest level and 2 for the one with the best compression.
  assert.deepEqual(
    backend.received.map(({ sent }) => sent[8]),
    [4, 0, 2],
  );
});

test('otlp_http compresses with zstd', { skip: zstdMissing }, async (t) => {
  const backend = await openHttpBackend(t, { answer: () => ({}) });
  for (const level of [1, 19]) {
    const settings = { endpoint: backend.url, compression: 'zstd', compression_params: { level } };
    const { exporter } = await startExporter(t, factory, settings);
    exporter.consume(readingAt(1, 42.5));
    await exporter.shutdown();
  }
  assert.deepEqual(
    backend.received.map(({ headers, sent }) => [
      headers['content-encoding'],
      decodePoints(decompressZstd(sent))[0]?.value,
    ]),
    [
      ['zstd', 42.5],
      ['zstd', 42.5],
    ],
  );
});

function checkSettings(settings: Record<string, unknown>) {
  return factory.check?.(parseSettings(factory.schema, settings));
}

test('otlp_http reports which Node zstd needs, and which levels gzip has', () => {
  const expected = zstdMissing === undefined ? [] : [`compression: ${zstdMissing}`];
  assert.deepEqual(checkSettings({ compression: 'zstd' }), expected);
  assert.deepEqual(checkSettings({ compression_params: { level: 12 } }), [
    'compression_params.level: expected at most 9 for gzip, found 12',
  ]);
});

test('otlp_http leaves requests uncompressed with compression none, and uses a metrics_endpoint as it is', async (t) => {
  const backend = await openHttpBackend(t);
  const settings = { metrics_endpoint: `${backend.url}/otlp?tenant=1`, compression: 'none' };
  const { exporter } = await startExporter(t, factory, settings);
  exporter.consume(readingAt(1, 1));
  await exporter.shutdown();
  const [request] = backend.received;
  assert.deepEqual([request.path, request.headers['content-encoding']], ['/otlp?tenant=1', undefined]);
});

test('otlp_http collects tables until the flush', async (t) => {
  const backend = await openHttpBackend(t);
  const settings = { endpoint: backend.url, batch: { flush_timeout: '20ms' } };
  const { exporter } = await startExporter(t, factory, settings);
  for (const second of [1, 2, 3]) exporter.consume(readingAt(second, second));
  await until(() => backend.received.length === 1);
  assert.deepEqual(decodeValues(backend), [1, 2, 3]);
});

test('otlp_http ignores the variables of OpenTelemetry unless configured to use them', async (t) => {
  const backend = await openHttpBackend(t);
  const stranger = await openHttpBackend(t);
  setVariables(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: stranger.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-leak=1',
    OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'x-other=a%20b',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'none',
    OTEL_EXPORTER_OTLP_TIMEOUT: '1',
    OTEL_EXPORTER_OTLP_CERTIFICATE: '/nonexistent',
  });
  const { exporter } = await startExporter(t, factory, { endpoint: backend.url });
  exporter.consume(readingAt(1, 1));
  await exporter.shutdown();
  const [{ headers }] = backend.received;
  assert.deepEqual([headers['x-leak'], headers['content-encoding']], [undefined, 'gzip']);
  assert.equal(stranger.received.length, 0);

  setVariables(t, { OTEL_EXPORTER_OTLP_CERTIFICATE: undefined, OTEL_EXPORTER_OTLP_TIMEOUT: '5000' });
  const asked = await startExporter(t, factory, { endpoint: backend.url, from_environment: true });
  asked.exporter.consume(readingAt(1, 1));
  await asked.exporter.shutdown();
  const [request] = stranger.received;
  assert.deepEqual(
    ['x-leak', 'x-other', 'content-encoding'].map((name) => request.headers[name]),
    ['1', 'a b', undefined],
  );
  assert.equal(request.path, '/v1/metrics');
});

test('otlp_http names the variable that it cannot use', async (t) => {
  setVariables(t, { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'localhost:4318' });
  await assert.rejects(startExporter(t, factory, { from_environment: true }), {
    message:
      'Cannot use OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: expected an address that begins with http:// or https://, ' +
      'found "localhost:4318"',
  });
});

test('otlp_http names the file that it cannot read', async (t) => {
  await assert.rejects(startExporter(t, factory, { tls: { ca_file: '/proc/none' } }), {
    message: /^Cannot read tls.ca_file "\/proc\/none": ENOENT/,
  });
});

test('otlp_http checks settings that contradict each other', () => {
  const config = parseSettings(factory.schema, {
    headers: { 'x y': '1' },
    tls: { cert_file: 'a.pem' },
    sending_queue: { queue_bytes: '1MiB' },
  });
  assert.deepEqual(factory.check?.(config), [
    'headers.x y: Header name must be a valid HTTP token ["x y"]',
    'sending_queue.queue_bytes: expected at least batch.max_bytes, 3670016, found 1048576',
    'tls: expected cert_file and key_file together, found only one of them',
  ]);
  assert.throws(() => parseSettings(factory.schema, { endpoint: 'localhost:4318' }), /endpoint: .*http/);
});
