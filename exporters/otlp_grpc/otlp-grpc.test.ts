import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { ServerCredentials, status } from '@grpc/grpc-js';
import { energy, readingAt, rowOf, start, startExporter } from '../../src/export/exporter.fixture.js';
import { testAnswers, testOutages, testTls, type Transport } from '../../src/export/shared-cases.fixture.js';
import type { CertificateFiles } from '../../src/http/certificate.fixture.js';
import type { Series } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { decodePoints, decodeResources } from '../../src/otlp/decode-request.fixture.js';
import { openGrpcBackend, type GrpcBackend } from '../../src/otlp/grpc-backend.fixture.js';
import { testPartialSuccess } from '../../src/otlp/partial-success.fixture.js';
import { MessageWriter } from '../../src/otlp/wire.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';

const insecure = { tls: { insecure: true } };
const writer = new MessageWriter();

function decodeValues({ received }: GrpcBackend) {
  return received
    .filter(({ code }) => code === status.OK)
    .flatMap(({ bytes }) => decodePoints(bytes))
    .map(({ value }) => value);
}

/** google.rpc.Status with a RetryInfo. */
function encodeRetryInfo(milliseconds: number): Buffer {
  const detail = writer.integer(1, status.RESOURCE_EXHAUSTED).begin(3);
  const value = writer.text(1, 'type.googleapis.com/google.rpc.RetryInfo').begin(2);
  const delay = writer.begin(1);
  writer.integer(2, milliseconds * 1e6);
  return writer.end(delay).end(value).end(detail).finish();
}

const transport: Transport<typeof factory.schema> = {
  name: 'otlp_grpc',
  factory,
  // A call that is sent on the closing connection is cancelled; one that needs a new connection finds no
  // server.
  outage: /^warn: Cannot export to [\d.:]+: (UNAVAILABLE|CANCELLED): .*[^:]\. Keeping data and trying again$/,
  silence: /DEADLINE_EXCEEDED.*Keeping data and trying again/,
  settingsFor: (endpoint) => ({ endpoint, ...insecure }),
  async open(t, { certificate, isMutual, ...place }) {
    const tls = certificate ? { credentials: createCredentials(certificate, isMutual) } : {};
    const backend = await openGrpcBackend(t, { ...place, ...tls });
    return { ...backend, takenValues: () => decodeValues(backend) };
  },
};

function createCredentials({ certFile, keyFile }: CertificateFiles, isMutual = false): ServerCredentials {
  const certificate = readFileSync(certFile);
  const pair = { cert_chain: certificate, private_key: readFileSync(keyFile) };
  return ServerCredentials.createSsl(isMutual ? certificate : null, [pair], isMutual);
}

testAnswers(transport);
testPartialSuccess(transport);
testOutages(transport);
testTls(transport);

test('otlp_grpc delivers points over a real connection', async (t) => {
  const backend = await openGrpcBackend(t);
  const settings = { endpoint: backend.endpoint, headers: { 'X-Tenant': 'a' }, ...insecure };
  const { exporter, read } = await startExporter(t, factory, settings);
  assert.ok(exporter.consume(readingAt(1, 42.5)));
  await exporter.shutdown();
  const [{ bytes, metadata }] = backend.received;
  const [point] = decodePoints(bytes);
  assert.deepEqual(
    [point.resource, point.name, point.unit, point.kind, point.start, point.time, point.value],
    [{ 'host.name': 'node-1' }, 'hw.energy', 'J', 'sum 2 true', start, start + 1_000_000_000n, 42.5],
  );
  assert.deepEqual(metadata.get('x-tenant'), ['a']);
  assert.match(String(metadata.get('user-agent')[0]), /^joulemetry\/\d/);
  assert.equal((await read())['otelcol_exporter_sent_metric_points{otlp}'], 1);
});

test('otlp_grpc compresses with level 1, with that of compression_params, or not at all', async (t) => {
  const server = await openHttp2Server(t);
  const settings = { endpoint: `localhost:${server.port}`, ...insecure };
  const others = [{}, { compression_params: { level: 9 } }, { compression: 'none' }];
  for (const other of others) {
    const { exporter } = await startExporter(t, factory, { ...settings, ...other });
    exporter.consume(readingAt(1, 42.5));
    await exporter.shutdown();
  }
  // RFC 1952, 2.3.1: the extra flags are 4 for the fastest level and 2 for the one with the best compression.
  assert.deepEqual(
    server.received.map(({ encoding, body }) => [encoding, body[0], body[0] === 1 ? body[5 + 8] : undefined]),
    [
      ['gzip', 1, 4],
      ['gzip', 1, 2],
      [undefined, 0, undefined],
    ],
  );
  const [compressed, , plain] = server.received.map(({ body }) => body.subarray(5));
  assert.deepEqual(gunzipSync(compressed), plain);
  assert.ok(server.received.every(({ body }) => body.readUInt32BE(1) === body.length - 5));
});

test('otlp_grpc stops compressing when the server does not accept gzip', async (t) => {
  const server = await openHttp2Server(t, 'identity,deflate');
  const settings = { endpoint: `localhost:${server.port}`, batch: { flush_timeout: '1ms' }, ...insecure };
  const { exporter } = await startExporter(t, factory, settings);
  for (const second of [1, 2]) {
    exporter.consume(readingAt(second, 42.5));
    await until(() => server.received.length === second);
  }
  await exporter.shutdown();
  assert.deepEqual(
    server.received.map(({ encoding, body }) => [encoding, body[0]]),
    [
      ['gzip', 1],
      [undefined, 0],
    ],
  );
});

/** A gRPC server that keeps the raw messages. */
async function openHttp2Server(t: TestContext, accepted = 'identity,deflate,gzip') {
  const received: { readonly encoding: string | undefined; readonly body: Buffer }[] = [];
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const encoding = headers['grpc-encoding']?.toString();
      received.push({ encoding, body: Buffer.concat(chunks) });
      const answer = { ':status': 200, 'content-type': 'application/grpc', 'grpc-accept-encoding': accepted };
      stream.respond(answer, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      // An empty ExportMetricsServiceResponse.
      stream.end(Buffer.alloc(5));
    });
  });
  t.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // A listening server has one.
  return { port, received };
}

test('otlp_grpc sends 200 resources in one request', async (t) => {
  const backend = await openGrpcBackend(t);
  const { exporter } = await startExporter(t, factory, {
    endpoint: backend.endpoint,
    compression: 'none',
    ...insecure,
  });
  const series = Array.from({ length: 200 }, (_, pid): Series => ({
    ...energy,
    resource: { attributes: { 'process.pid': pid } },
  }));
  exporter.consume(
    createRow(
      series,
      start,
      Float64Array.from(series, (_, i) => i),
    ),
  );
  await exporter.shutdown();
  assert.equal(backend.received.length, 1);
  assert.equal(decodeResources(backend.received[0].bytes).length, 200);
  assert.deepEqual(
    decodeValues(backend),
    series.map((_, i) => i),
  );
});

test('otlp_grpc sends again after UNAVAILABLE', async (t) => {
  const backend = await openGrpcBackend(t, {
    answer: (count) => ({ code: count < 3 ? status.UNAVAILABLE : status.OK }),
  });
  const { exporter } = await startExporter(t, factory, { endpoint: backend.endpoint, ...insecure });
  exporter.consume(readingAt(1, 7));
  await until(() => backend.received.length === 3);
  await exporter.shutdown();
  assert.deepEqual(decodeValues(backend), [7]);
});

test('otlp_grpc drops requests that the backend has no resources for, unless it says when to retry', async (t) => {
  const answers = [
    { code: status.RESOURCE_EXHAUSTED, details: 'message too large' },
    { code: status.RESOURCE_EXHAUSTED, statusDetails: encodeRetryInfo(200) },
  ];
  const backend = await openGrpcBackend(t, { answer: (count) => answers[count - 1] ?? {} });
  const { exporter, log, read } = await startExporter(t, factory, {
    endpoint: backend.endpoint,
    ...insecure,
  });
  exporter.consume(readingAt(1, 1));
  await until(() => backend.received.length === 1);
  exporter.consume(readingAt(2, 2));
  await until(() => backend.received.length === 3);
  await exporter.shutdown();
  assert.deepEqual(decodeValues(backend), [2]);
  assert.ok(backend.received[2].atMs - backend.received[1].atMs >= 198);
  assert.equal((await read())['joulemetry.exporter.dropped{otlp,rejected}'], 1);
  assert.match(log.lines[0], /Lost 1 points .*RESOURCE_EXHAUSTED: message too large/);
});

test('otlp_grpc splits requests that are larger than the backend accepts', async (t) => {
  const backend = await openGrpcBackend(t, { maxMessageBytes: 3000 });
  const settings = { endpoint: backend.endpoint, compression: 'none', ...insecure };
  const { exporter, log, read } = await startExporter(t, factory, settings);
  exporter.consume(rowOf(200));
  await until(async () => (await read())['otelcol_exporter_sent_metric_points{otlp}'] === 200);
  assert.deepEqual(
    decodeValues(backend),
    Array.from({ length: 200 }, (_, id) => id),
  );
  assert.match(
    log.lines.join('\n'),
    /RESOURCE_EXHAUSTED: Received message larger than max .*Sending them in halves/,
  );
});
