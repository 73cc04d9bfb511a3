import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ChannelCredentials, Client, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { createMeterReader } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { createCertificate, noOpenssl } from '../../src/http/certificate.fixture.js';
import { basic, createSecuredConfig } from '../../src/http/web-config.fixture.js';
import { schema } from './config.js';
import { serveGrpc } from './grpc-server.js';
import { createIntake } from './intake.fixture.js';
import { encodeRequest } from './request.fixture.js';

const request = Buffer.from(encodeRequest({ metrics: [{ name: 'g', points: [{ time: 10n, double: 1 }] }] }));
const metricsPath = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';

interface Options {
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly context?: Parameters<typeof createIntake>[2];
  readonly credentials?: ChannelCredentials;
}

interface Answer {
  readonly code: status;
  readonly details: string;
  readonly bytes: Buffer | undefined;
  readonly trailers: Metadata | undefined;
}

const same = (bytes: Buffer) => bytes;

async function start(t: TestContext, { settings = {}, context = {}, credentials }: Options = {}) {
  const rig = createIntake(t, {}, context);
  const { protocols } = parseSettings(schema, {
    protocols: { grpc: { endpoint: 'localhost:0', ...settings } },
  });
  assert.ok(protocols.grpc);
  const server = await serveGrpc(protocols.grpc, { id: 'otlp', log: rig.log }, rig.intake);
  t.after(() => server.close());
  const client = new Client(
    server.address.replace('127.0.0.1', 'localhost'),
    credentials ?? ChannelCredentials.createInsecure(),
  );
  t.after(() => client.close());
  const call = (bytes: Buffer, { path = metricsPath, headers = {} } = {}): Promise<Answer> => {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(headers)) metadata.set(name, String(value));
    return new Promise((resolve) => {
      const done = (error: ServiceError | null, answer?: Buffer) =>
        resolve({
          code: error?.code ?? status.OK,
          details: error?.details ?? '',
          bytes: answer,
          trailers: error?.metadata,
        });
      client.makeUnaryRequest(path, same, same, bytes, metadata, done);
    });
  };
  return { ...rig, server, call };
}

test('serveGrpc takes a request and reports the rejected points', async (t) => {
  const { call, list } = await start(t);
  const answer = await call(request);
  assert.deepEqual([answer.code, answer.bytes?.length], [status.OK, 0]);
  const summary = { name: 's', kind: 'summary' as const, points: [{}, {}] };
  const partial = await call(Buffer.from(encodeRequest({ metrics: [summary] })));
  // The message partial_success: its field rejected_data_points, then its error_message.
  assert.deepEqual([...(partial.bytes?.subarray(2, 5) ?? [])], [8, 2, 18]);
  assert.match(String(partial.bytes), /found a summary/);
  assert.deepEqual(list(), ['g 0 10 1']);
});

test('serveGrpc reports errors by INVALID_ARGUMENT, UNIMPLEMENTED and RESOURCE_EXHAUSTED', async (t) => {
  const { call, list } = await start(t, { settings: { max_recv_msg_size_mib: 1 } });
  assert.equal((await call(request.subarray(1))).code, status.INVALID_ARGUMENT);
  for (const [signal, service] of [
    ['trace', 'TraceService'],
    ['logs', 'LogsService'],
  ]) {
    const answer = await call(request, {
      path: `/opentelemetry.proto.collector.${signal}.v1.${service}/Export`,
    });
    assert.equal(answer.code, status.UNIMPLEMENTED);
    assert.match(answer.details, /^Cannot take (traces|logs): expected metrics/);
  }
  assert.equal((await call(Buffer.alloc(1024 * 1024 + 1))).code, status.RESOURCE_EXHAUSTED);
  assert.deepEqual(list(), []);
});

test('serveGrpc responds with UNAVAILABLE and RetryInfo while a queue is full', async (t) => {
  const { call, list } = await start(t, { context: { readBacklog: () => 1 } });
  const { code, trailers } = await call(request);
  assert.equal(code, status.UNAVAILABLE);
  const [details = ''] = trailers?.get('grpc-status-details-bin') ?? [];
  // google.rpc.Status with code 14, and a Duration of 1 s in RetryInfo.
  assert.deepEqual([...Buffer.from(details).subarray(0, 3)], [8, 14, 18]);
  assert.match(String(details), /google\.rpc\.RetryInfo/);
  assert.deepEqual([...Buffer.from(details).subarray(-6)], [18, 4, 10, 2, 8, 1]);
  assert.deepEqual(list(), []);
});

test(
  'serveGrpc uses the TLS settings, and requires client certificates if configured',
  { skip: noOpenssl },
  async (t) => {
    const { certFile: cert, keyFile: key } = createCertificate();
    const ca = readFileSync(cert);
    const settings = { tls: { cert_file: cert, key_file: key, client_ca_file: cert } };
    const trusted = ChannelCredentials.createSsl(ca, readFileSync(key), ca);
    const { call, list } = await start(t, { settings, credentials: trusted });
    assert.equal((await call(request)).code, status.OK);
    assert.deepEqual(list(), ['g 0 10 1']);
    const stranger = await start(t, { settings, credentials: ChannelCredentials.createSsl(ca) });
    assert.equal((await stranger.call(request)).code, status.UNAVAILABLE);
    assert.deepEqual(stranger.list(), []);
  },
);

test(
  'serveGrpc asks for the password of a web configuration, and counts and logs calls without it',
  { skip: noOpenssl },
  async (t) => {
    const meter = createMeterReader();
    const secured = createSecuredConfig();
    const credentials = ChannelCredentials.createSsl(readFileSync(secured.certFile));
    const settings = { web_config_file: secured.path };
    const { call, list, log } = await start(t, { settings, credentials, context: { meter: meter.meter } });
    const logged = log.lines.length;
    assert.equal((await call(request)).code, status.UNAUTHENTICATED);
    assert.equal(
      (await call(request, { headers: { authorization: 'Basic eDp5' } })).code,
      status.UNAUTHENTICATED,
    );
    assert.deepEqual(list(), []);
    assert.equal(
      (await call(request, { headers: { authorization: basic('scraper', 'correct horse') } })).code,
      status.OK,
    );
    assert.deepEqual(list(), ['g 0 10 1']);
    const counts = await meter.read();
    assert.equal(counts['joulemetry.otlp.requests{otlp,denied}'], 2);
    assert.equal(counts['joulemetry.otlp.requests{otlp,taken}'], 1);
    const [line = '', ...more] = log.lines.slice(logged);
    assert.match(line, /^warn: Refused a request: .*expected a user and a password/u);
    assert.deepEqual(more, []);
  },
);

test('serveGrpc limits the size of a decompressed message', async (t) => {
  const { server, list } = await start(t, { settings: { max_recv_msg_size_mib: 1 } });
  const client = new Client(server.address, ChannelCredentials.createInsecure(), {
    'grpc.default_compression_algorithm': 2,
  });
  t.after(() => client.close());
  const zeros = Buffer.alloc(64 * 1024 * 1024);
  assert.ok(gzipSync(zeros).length < 1024 * 1024);
  const error = await new Promise<ServiceError | null>((resolve) => {
    client.makeUnaryRequest(metricsPath, same, same, zeros, resolve);
  });
  assert.equal(error?.code, status.RESOURCE_EXHAUSTED);
  // The message is that of the one-step decompression: the library still has the method that it replaces.
  assert.match(error?.details ?? '', /expected at most 1048576 bytes when decompressed, found more$/u);
  assert.deepEqual(list(), []);
});

test('serveGrpc names the setting of an endpoint that cannot be used', async (t) => {
  const { server } = await start(t);
  await assert.rejects(
    start(t, { settings: { endpoint: server.address } }),
    /^Error: Cannot listen on \S+ \(receivers\.otlp\.protocols\.grpc\.endpoint\): EADDRINUSE/,
  );
});
