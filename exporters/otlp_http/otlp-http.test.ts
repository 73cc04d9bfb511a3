import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerOptions } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { createFolder } from '../../src/contract/temporary-folder.fixture.js';
import { until } from '../../src/contract/until.js';
import { createRow } from '../../src/model/table.js';
import type { CertificateFiles } from '../../src/http/certificate.fixture.js';
import { decodePoints } from '../../src/otlp/decode-request.fixture.js';
import { energy, readingAt, rowOf, start, startExporter } from '../../src/otlp/exporter.fixture.js';
import {
  setVariables,
  testAnswers,
  testOutages,
  testTls,
  type Transport,
} from '../../src/otlp/shared-cases.fixture.js';
import { factory } from './factory.js';
import { openHttpBackend, type HttpBackend } from './http-backend.fixture.js';

function decodeValues({ received }: HttpBackend) {
  return received
    .filter(({ status }) => status === 200)
    .flatMap(({ bytes }) => decodePoints(bytes))
    .map(({ value }) => value);
}

const transport: Transport<typeof factory.schema> = {
  name: 'otlp_http',
  factory,
  outage: /^warn: Cannot export to .*Keeping data and trying again$/,
  silence: /no answer within 200 ms\. Keeping data and trying again/,
  settingsFor: (address) => ({ endpoint: `http://${address}` }),
  async open(t, { certificate, isMutual = false, ...place }) {
    const tls = certificate ? { tls: createServerOptions(certificate, isMutual) } : {};
    const backend = await openHttpBackend(t, { ...place, ...tls });
    return { ...backend, endpoint: backend.url, takenValues: () => decodeValues(backend) };
  },
};

function createServerOptions({ certFile, keyFile }: CertificateFiles, requestCert: boolean): ServerOptions {
  const [cert, key] = [readFileSync(certFile), readFileSync(keyFile)];
  return { cert, key, ...(requestCert ? { ca: cert, requestCert } : {}) };
}

testAnswers(transport);
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

test('otlp_http leaves requests uncompressed when told so, and uses a metrics_endpoint as it is', async (t) => {
  const backend = await openHttpBackend(t);
  const settings = { metrics_endpoint: `${backend.url}/otlp?tenant=1`, compression: 'none' };
  const { exporter } = await startExporter(t, factory, settings);
  exporter.consume(readingAt(1, 1));
  await exporter.shutdown();
  const [request] = backend.received;
  assert.deepEqual([request.path, request.headers['content-encoding']], ['/otlp?tenant=1', undefined]);
});

test('otlp_http gathers tables until the flush', async (t) => {
  const backend = await openHttpBackend(t);
  const settings = { endpoint: backend.url, batch: { flush_timeout: '20ms' } };
  const { exporter } = await startExporter(t, factory, settings);
  for (const second of [1, 2, 3]) exporter.consume(readingAt(second, second));
  await until(() => backend.received.length === 1);
  assert.deepEqual(decodeValues(backend), [1, 2, 3]);
});

for (const status of [429, 502, 503, 504]) {
  test(`otlp_http sends again after ${status}`, async (t) => {
    const backend = await openHttpBackend(t, { answer: (count) => ({ status: count < 4 ? status : 200 }) });
    const { exporter } = await startExporter(t, factory, { endpoint: backend.url });
    exporter.consume(readingAt(1, 7));
    await until(() => backend.received.length === 4);
    await exporter.shutdown();
    assert.deepEqual(
      backend.received.map((request) => request.status),
      [status, status, status, 200],
    );
  });

  test(`otlp_http sends once after ${status}, when its queue sends nothing again`, async (t) => {
    const backend = await openHttpBackend(t, { answer: () => ({ status }) });
    const settings = { endpoint: backend.url, retry_on_failure: { enabled: false } };
    const { exporter, read } = await startExporter(t, factory, settings);
    exporter.consume(readingAt(1, 7));
    await until(async () => (await read())['joulemetry.exporter.dropped{otlp,retries_exhausted}'] === 1);
    // The transport would have sent it again by itself before it gave up.
    assert.equal(backend.received.length, 1);
  });
}

test('otlp_http waits as long as Retry-After says', async (t) => {
  const backend = await openHttpBackend(t, {
    answer: (count) => (count === 1 ? { status: 503, headers: { 'retry-after': '1' } } : {}),
  });
  const { exporter } = await startExporter(t, factory, { endpoint: backend.url });
  exporter.consume(readingAt(1, 7));
  await until(() => backend.received.length === 2);
  assert.ok(backend.received[1].atMs - backend.received[0].atMs >= 990);
});

test('otlp_http drops what is refused for good, and says what the backend said', async (t) => {
  const backend = await openHttpBackend(t, {
    answer: (count) => (count === 1 ? { status: 400, body: 'unknown tenant\u0000' } : {}),
  });
  const { exporter, log, read } = await startExporter(t, factory, { endpoint: backend.url });
  exporter.consume(readingAt(1, 1));
  await until(() => backend.received.length === 1);
  exporter.consume(readingAt(2, 2));
  await exporter.shutdown();
  assert.deepEqual(decodeValues(backend), [2]);
  const metrics = await read();
  assert.equal(metrics['joulemetry.exporter.dropped{otlp,rejected}'], 1);
  assert.equal(metrics['otelcol_exporter_send_failed_metric_points{otlp}'], 1);
  assert.deepEqual(log.lines, [
    `error: Lost 1 points for ${backend.url}/v1/metrics: the request was refused for good: ` +
      'HTTP 400 Bad Request: unknown tenant',
  ]);
});

test('otlp_http sends in smaller requests what a backend answers with 413, and counts what is too large alone', async (t) => {
  const backend = await openHttpBackend(t, {
    answer: (_, { length }) => ({ status: length > 3000 ? 413 : 200 }),
  });
  const { exporter, log, read } = await startExporter(t, factory, { endpoint: backend.url });
  exporter.consume(rowOf(200));
  await until(async () => (await read())['otelcol_exporter_sent_metric_points{otlp}'] === 200);
  assert.deepEqual(
    decodeValues(backend),
    Array.from({ length: 200 }, (_, id) => id),
  );
  assert.match(
    log.lines.join('\n'),
    /^warn: Cannot export \d+ bytes at once to .*: HTTP 413 .*Sending them in halves/,
  );

  const attributes = { 'hw.id': 'x'.repeat(4000) };
  exporter.consume(createRow([{ ...energy, attributes }, energy], start + 2n, Float64Array.of(1, 2)));
  await until(async () => (await read())['joulemetry.exporter.dropped{otlp,rejected}'] === 1);
  await until(() => decodeValues(backend).length === 201);
  assert.equal(decodeValues(backend).at(-1), 2);
});

test('otlp_http sends in smaller requests what is too large for a Collector, which answers 400', async (t) => {
  const backend = await openHttpBackend(t, {
    answer: (_, { length }) =>
      length > 3000 ? { status: 400, body: '\n\u001chttp: request body too large' } : { status: 200 },
  });
  const { exporter, read } = await startExporter(t, factory, { endpoint: backend.url });
  exporter.consume(rowOf(200));
  await until(async () => (await read())['otelcol_exporter_sent_metric_points{otlp}'] === 200);
  assert.equal((await read())['otelcol_exporter_send_failed_metric_points{otlp}'], 0);
});

test('otlp_http sends in smaller requests what a backend refuses while it is still sent', async (t) => {
  // As servers do that read no more than the length: the answer comes, and the connection is closed.
  const backend = await openHttpBackend(t, { refuseAbove: 200_000 });
  const settings = { endpoint: backend.url, compression: 'none' };
  const { exporter, read } = await startExporter(t, factory, settings);
  exporter.consume(rowOf(8000));
  await until(async () => (await read())['otelcol_exporter_sent_metric_points{otlp}'] === 8000);
  assert.equal((await read())['otelcol_exporter_send_failed_metric_points{otlp}'], 0);
});

test('otlp_http names where a backend redirects to', async (t) => {
  const location = 'https://user:secret@collector.example/otlp/v1/metrics';
  for (const status of [301, 307, 308]) {
    const backend = await openHttpBackend(t, { answer: () => ({ status, headers: { location } }) });
    const { exporter, log } = await startExporter(t, factory, { endpoint: backend.url });
    exporter.consume(readingAt(1, 1));
    await exporter.shutdown();
    assert.match(
      log.lines.join('\n'),
      /, to "https:\/\/\[REDACTED\]@collector\.example\/otlp\/v1\/metrics"; set endpoint or metrics_endpoint to/,
    );
  }
});

test('otlp_http says how long a backend asks to wait', async (t) => {
  const backend = await openHttpBackend(t, {
    answer: () => ({ status: 429, headers: { 'retry-after': '3600' } }),
  });
  const { exporter, log } = await startExporter(t, factory, { endpoint: backend.url });
  exporter.consume(readingAt(1, 1));
  await until(() => log.lines.length === 1);
  assert.match(log.lines[0], /HTTP 429 Too Many Requests, asks to wait 3600 s\. Keeping data/);
});

test('otlp_http says so, when the answer is a web page', async (t) => {
  const backend = await openHttpBackend(t, { answer: () => ({ body: '<html>Welcome</html>' }) });
  const { exporter, log } = await startExporter(t, factory, { endpoint: backend.url });
  exporter.consume(readingAt(1, 1));
  await exporter.shutdown();
  assert.match(log.lines.join(), /with a warning: the answer is not one of an OTLP receiver/);
});

test('otlp_http ignores the variables of OpenTelemetry unless asked for them', async (t) => {
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

test('otlp_http says which variable it cannot use', async (t) => {
  setVariables(t, { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'localhost:4318' });
  await assert.rejects(startExporter(t, factory, { from_environment: true }), {
    message:
      'Cannot use OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: expected an address that begins with http:// or https://, ' +
      'found "localhost:4318"',
  });
});

test('otlp_http says which file it cannot read', async (t) => {
  await assert.rejects(startExporter(t, factory, { tls: { ca_file: '/nonexistent' } }), {
    message: /^Cannot read tls.ca_file "\/nonexistent": ENOENT/,
  });
});

test('otlp_http checks settings that do not go together', () => {
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

test('otlp_http sends a token from a file, and the new one once the file has changed', async (t) => {
  const backend = await openHttpBackend(t);
  const file = join(createFolder(), 'token');
  writeFileSync(file, 'first\n');
  const settings = { endpoint: backend.url, credentials: { bearer_token_file: file } };
  const { exporter, log } = await startExporter(t, factory, settings);
  const authorizations = () => backend.received.map(({ headers }) => headers.authorization);
  exporter.consume(readingAt(1, 1));
  await until(() => backend.received.length === 1);
  writeFileSync(file, 'second');
  exporter.consume(readingAt(2, 2));
  await until(() => backend.received.length === 2);
  rmSync(file);
  exporter.consume(readingAt(3, 3));
  await until(() => backend.received.length === 3);
  assert.deepEqual(authorizations(), ['Bearer first', 'Bearer second', 'Bearer second']);
  const expected =
    /^warn: Cannot read credentials\.bearer_token_file ".*token": ENOENT; using the previous one$/;
  assert.match(log.lines.join('\n'), expected);
});

test('otlp_http sends a user and the password of a file', async (t) => {
  const backend = await openHttpBackend(t);
  const file = join(createFolder(), 'password');
  writeFileSync(file, 'pass: wörd\n');
  const credentials = { username: 'me', password_file: file };
  const { exporter } = await startExporter(t, factory, { endpoint: backend.url, credentials });
  exporter.consume(readingAt(1, 1));
  await exporter.shutdown();
  const [, encoded = ''] = (backend.received[0].headers.authorization ?? '').split(' ');
  assert.equal(Buffer.from(encoded, 'base64').toString(), 'me:pass: wörd');
});

const checkSettings = (settings: Record<string, unknown>) =>
  factory.check?.(parseSettings(factory.schema, settings));

test('otlp_http says what is wrong with credentials, and shows nothing of them', async (t) => {
  const file = join(createFolder(), 'token');
  writeFileSync(file, 's3cret\ns3cret\n');
  const open = (path: string) => startExporter(t, factory, { credentials: { bearer_token_file: path } });
  await assert.rejects(open(file), ({ message }: Error) =>
    /^Cannot use credentials\.bearer_token_file ".*": expected one line of text$/.test(message),
  );
  await assert.rejects(open('/nowhere'), /Cannot read credentials\.bearer_token_file "\/nowhere": ENOENT/);
  assert.deepEqual(checkSettings({ credentials: { username: 'me' } }), [
    'credentials: expected username and password_file together, found only one of them',
  ]);
  assert.deepEqual(
    checkSettings({
      credentials: { username: 'm:e', password_file: 'p', bearer_token_file: 't' },
      headers: { authorization: 'Bearer x' },
    }),
    [
      'credentials: expected bearer_token_file or username, found both',
      'credentials.username: expected a name without ":", found one',
      'headers.authorization: expected no such header together with credentials',
    ],
  );
});
