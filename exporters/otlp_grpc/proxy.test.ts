import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readingAt, startExporter } from '../../src/export/exporter.fixture.js';
import { openProxy, setVariables } from '../../src/http/proxy.fixture.js';
import { openGrpcBackend } from '../../src/otlp/grpc-backend.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';

const tls = { insecure: true };

test('otlp_grpc connects through the proxy of HTTPS_PROXY, which alone can resolve the name', async (t) => {
  const backend = await openGrpcBackend(t);
  const proxy = await openProxy(t, backend.port);
  setVariables(t, { HTTPS_PROXY: `localhost:${proxy.port}`, NO_PROXY: '' });
  const { exporter } = await startExporter(t, factory, { endpoint: 'collector.invalid:4317', tls });
  exporter.consume(readingAt(1, 1));
  await until(() => backend.received.length === 1);
  assert.deepEqual(proxy.asked, ['CONNECT collector.invalid:4317']);
});

test('otlp_grpc ignores proxy variables of other conventions', async (t) => {
  const backend = await openGrpcBackend(t);
  setVariables(t, { grpc_proxy: 'http://proxy.invalid:3128', http_proxy: 'http://proxy.invalid:3128' });
  const { exporter } = await startExporter(t, factory, { endpoint: backend.endpoint, tls });
  exporter.consume(readingAt(1, 1));
  await until(() => backend.received.length === 1);
});
