import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { ServerCredentials, status } from '@grpc/grpc-js';
import { createLogCollector } from '../component/fakes.js';
import { telemetrySchema, type PeriodicConfig } from '../config/service-schema.js';
import { parseSettings } from '../config/settings.js';
import { createCertificate, noOpenssl } from '../http/certificate.fixture.js';
import { decodePoints } from '../otlp/decode-request.fixture.js';
import { openGrpcBackend, type GrpcBackend } from '../otlp/grpc-backend.fixture.js';
import { until } from '../testing/until.js';
import { startTelemetry, type Telemetry, type TelemetryRequest } from './telemetry.js';

/** The settings of a reader with a short interval. */
function periodic(otlp: object, interval = '100ms'): PeriodicConfig {
  const readers = [{ periodic: { interval, exporter: { otlp } } }];
  const config = parseSettings(telemetrySchema, { metrics: { readers } }).metrics.readers[0]?.periodic;
  assert.ok(config);
  return config;
}

async function start(t: TestContext, push: PeriodicConfig, request: Partial<TelemetryRequest> = {}) {
  const telemetry = await startTelemetry({
    level: 'normal',
    pull: undefined,
    pushes: [push],
    attributes: { 'service.name': 'joulemetry', 'deployment.environment.name': 'test' },
    log: createLogCollector(),
    ...request,
  });
  t.after(() => telemetry.shutdown());
  return telemetry;
}

/** The points of the last request. */
function lastPoints({ received }: GrpcBackend) {
  return decodePoints(received.at(-1)?.bytes ?? Buffer.alloc(0));
}

test('own telemetry is pushed periodically and a last time at shutdown, verified by an independent decoder', async (t) => {
  const backend = await openGrpcBackend(t);
  const telemetry = await start(t, periodic({ endpoint: backend.endpoint, insecure: true }));
  const counter = telemetry.meter.createCounter('otelcol_receiver_accepted_metric_points');
  counter.add(41, { receiver: 'rapl' });
  await until(() => backend.received.length >= 2);
  counter.add(1, { receiver: 'rapl' });
  await telemetry.shutdown();
  const point = lastPoints(backend).find(({ name }) => name === 'otelcol_receiver_accepted_metric_points');
  assert.deepEqual(
    [point?.value, point?.attributes, point?.kind, point?.scope],
    [42, { receiver: 'rapl' }, 'sum 2 true', 'joulemetry undefined'],
  );
  assert.deepEqual(point?.resource, { 'service.name': 'joulemetry', 'deployment.environment.name': 'test' });
  assert.ok(lastPoints(backend).some(({ name }) => name === 'otelcol_process_memory_rss'));
  assert.equal(telemetry.address, undefined);
});

test('own telemetry is served and pushed at the same time if configured', async (t) => {
  const backend = await openGrpcBackend(t);
  const push = periodic({ endpoint: `http://${backend.endpoint}`, headers: { 'x-tenant': 'a' } });
  const telemetry = await start(t, push, { pull: { host: 'localhost', port: 0, isExplicit: true } });
  await until(() => backend.received.length > 0);
  assert.deepEqual(backend.received[0]?.metadata.get('x-tenant'), ['a']);
  const page = await (await fetch(`http://${telemetry.address}/metrics`)).text();
  assert.match(page, /^otelcol_process_memory_rss \d+$/mu);
});

test('own telemetry that is pushed is also collected once per minute for a page, for which the SDK would keep it', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const backend = await openGrpcBackend(t);
  const telemetry = await start(t, periodic({ endpoint: backend.endpoint, insecure: true }, '1h'));
  let collected = 0;
  telemetry.meter.createObservableGauge('seen').addCallback(() => void (collected += 1));
  for (const times of [1, 2]) {
    t.mock.timers.tick(60_000);
    await until(() => collected === times);
  }
  assert.equal(backend.received.length, 0);
});

test('own telemetry logs once that its backend is unavailable and once that it has recovered', async (t) => {
  const log = createLogCollector();
  let isAway = true;
  const answer = () => ({ code: isAway ? status.PERMISSION_DENIED : status.OK, details: 'not you' });
  const backend = await openGrpcBackend(t, { answer });
  const { endpoint } = backend;
  await start(t, periodic({ endpoint, insecure: true }), { log });
  await until(() => backend.received.length >= 3);
  isAway = false;
  // A slow machine may not have the answer within the interval: the SDK reports this at every push as a
  // separate cause.
  const said = () => log.lines.filter((line) => !line.includes('OpenTelemetry SDK'));
  await until(() => said().some((line) => line.startsWith('info')));
  const warnings = said().slice(0, -1);
  assert.equal(said().at(-1), `info: Recovered, pushing own telemetry to ${endpoint} again`);
  assert.ok(warnings.length > 0);
  assert.equal(new Set(warnings.map((line) => /: \d+ [A-Z_]+/u.exec(line)?.[0])).size, warnings.length);
  for (const warning of warnings) {
    assert.match(
      warning,
      /^warn: Cannot push own telemetry to localhost:\d+: (7 PERMISSION_DENIED: not you|4 DEADLINE_EXCEEDED: .*)\. Trying again$/,
    );
  }
});

test('the shutdown of own telemetry does not wait for a backend that never answers', async (t) => {
  const log = createLogCollector();
  const backend = await openGrpcBackend(t, { answer: () => ({ isSilent: true }) });
  const telemetry = await start(t, periodic({ endpoint: backend.endpoint, insecure: true }, '1h'), { log });
  await telemetry.shutdown();
  assert.match(log.lines.join('\n'), /^warn: Cannot push own telemetry a last time: /u);
});

test('own telemetry is pushed with TLS if the certificate is trusted', { skip: noOpenssl }, async (t) => {
  const { certFile: certificate, keyFile } = createCertificate();
  const pair = { private_key: readFileSync(keyFile), cert_chain: readFileSync(certificate) };
  const backend = await openGrpcBackend(t, { credentials: ServerCredentials.createSsl(null, [pair]) });
  const telemetry = await start(t, periodic({ endpoint: backend.endpoint, certificate }, '1h'));
  await telemetry.shutdown();
  assert.equal(backend.received.length, 1);
});

test('startTelemetry throws if a certificate of the push cannot be read', async (t) => {
  await assert.rejects(
    start(t, periodic({ certificate: '/nowhere.pem' })),
    /^Error: Cannot read own telemetry's certificate "\/nowhere.pem": ENOENT/u,
  );
});

/** Names that are pushed at a level. */
async function namesAt(t: TestContext, level: TelemetryRequest['level']): Promise<ReadonlySet<string>> {
  const backend = await openGrpcBackend(t);
  const push = periodic({ endpoint: backend.endpoint, insecure: true });
  const telemetry: Telemetry = await start(t, push, { level });
  telemetry.meter.createCounter('joulemetry.sampler.ticks').add(1);
  telemetry.meter.createCounter('joulemetry.sampler.missed_ticks').add(1);
  await until(() => backend.received.length >= 2);
  return new Set(lastPoints(backend).map(({ name }) => name));
}

function hasSdkNames(names: ReadonlySet<string>): boolean {
  return [...names].some((name) => name.startsWith('otel.sdk.'));
}

test('the level determines what is pushed', async (t) => {
  const [basic, normal, detailed] = [
    await namesAt(t, 'basic'),
    await namesAt(t, 'normal'),
    await namesAt(t, 'detailed'),
  ];
  for (const names of [basic, normal, detailed]) {
    assert.ok(names.has('otelcol_process_uptime') && names.has('joulemetry.sampler.missed_ticks'));
  }
  for (const name of [
    'joulemetry.sampler.ticks',
    'joulemetry.main_thread.long_slices',
    'nodejs.eventloop.utilization',
  ]) {
    assert.deepEqual([basic.has(name), normal.has(name), detailed.has(name)], [false, true, true]);
  }
  assert.deepEqual([basic, normal, detailed].map(hasSdkNames), [false, false, true]);
});
