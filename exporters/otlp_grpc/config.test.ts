import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { readingAt, startExporter } from '../../src/export/exporter.fixture.js';
import { setVariables } from '../../src/export/shared-cases.fixture.js';
import { openGrpcBackend } from '../../src/otlp/grpc-backend.fixture.js';
import { parseTarget } from './config.js';
import { factory } from './factory.js';

test('otlp_grpc ignores the variables of OpenTelemetry unless configured to use them', async (t) => {
  const backend = await openGrpcBackend(t);
  const stranger = await openGrpcBackend(t);
  setVariables(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://${stranger.endpoint}`,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-leak=1',
    OTEL_EXPORTER_OTLP_INSECURE: 'false',
    OTEL_EXPORTER_OTLP_TIMEOUT: '9000',
  });
  const { exporter } = await startExporter(t, factory, {
    endpoint: backend.endpoint,
    tls: { insecure: true },
  });
  exporter.consume(readingAt(1, 1));
  await exporter.shutdown();
  assert.deepEqual(backend.received[0].metadata.get('x-leak'), []);
  assert.equal(stranger.received.length, 0);

  const asked = await startExporter(t, factory, { endpoint: backend.endpoint, from_environment: true });
  asked.exporter.consume(readingAt(1, 1));
  await asked.exporter.shutdown();
  assert.deepEqual(stranger.received[0].metadata.get('x-leak'), ['1']);
});

test('otlp_grpc names the variable that it cannot use', async (t) => {
  setVariables(t, { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://me:secret@collector' });
  await assert.rejects(startExporter(t, factory, { from_environment: true }), {
    message:
      'Cannot use OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: expected host:port such as "localhost:4317", ' +
      'found "http://[REDACTED]@collector"',
  });
});

test('parseTarget gives the scheme precedence over tls.insecure', () => {
  const cases: [string, boolean][] = [
    ['collector:4317', false],
    ['collector:4317', true],
    ['http://collector:4317', false],
    ['https://collector:4317/', true],
    ['[::1]:4317', true],
    ['dns:///collector:4317', false],
    ['unix:/run/otlp.sock', true],
  ];
  assert.deepEqual(
    cases.map(([endpoint, isInsecure]) => Object.values(parseTarget(endpoint, isInsecure))),
    [
      ['collector:4317', false],
      ['collector:4317', true],
      ['collector:4317', true],
      ['collector:4317', false],
      ['[::1]:4317', true],
      ['dns:///collector:4317', false],
      ['unix:/run/otlp.sock', true],
    ],
  );
});

test('otlp_grpc reports what is wrong with an endpoint', () => {
  for (const endpoint of [
    'collector',
    ':4317',
    'http://collector',
    'collector:99999',
    'ftp://collector:21',
    '',
  ]) {
    const problems = factory.check?.(parseSettings(factory.schema, { endpoint }));
    const problem = `endpoint: expected host:port such as "localhost:4317", found "${endpoint}"`;
    assert.deepEqual(problems, [problem]);
  }
  assert.deepEqual(factory.check?.(parseSettings(factory.schema, {})), []);
});
