import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readingAt, startExporter } from '../../src/export/exporter.fixture.js';
import { createCertificate, noOpenssl } from '../../src/http/certificate.fixture.js';
import { openHttpBackend } from '../../src/http/http-backend.fixture.js';
import { openProxy, setVariables } from '../../src/http/proxy.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';

test('otlp_http connects through the proxy of HTTP_PROXY, which alone can resolve the name', async (t) => {
  const backend = await openHttpBackend(t);
  const proxy = await openProxy(t, backend.port);
  setVariables(t, { HTTP_PROXY: `http://me:s3cret@localhost:${proxy.port}`, NO_PROXY: 'other.invalid' });
  const { exporter, log } = await startExporter(t, factory, { endpoint: 'http://collector.invalid:4318' });
  exporter.consume(readingAt(1, 1));
  await until(() => backend.received.length === 1);
  const credentials = Buffer.from('me:s3cret').toString('base64');
  assert.deepEqual(proxy.asked, [`POST http://collector.invalid:4318/v1/metrics Basic ${credentials}`]);
  assert.ok(!log.lines.join().includes('s3cret'), log.lines.join());
});

test('otlp_http reaches a backend with TLS through a tunnel', { skip: noOpenssl }, async (t) => {
  const { certFile, keyFile } = createCertificate();
  const tls = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  const backend = await openHttpBackend(t, { tls });
  const proxy = await openProxy(t, backend.port);
  const { exporter } = await startExporter(t, factory, {
    endpoint: 'https://collector.invalid:4318',
    proxy_url: `http://localhost:${proxy.port}`,
    tls: { ca_file: certFile, server_name_override: 'localhost' },
  });
  exporter.consume(readingAt(1, 1));
  await until(() => backend.received.length === 1);
  assert.deepEqual(proxy.asked, ['CONNECT collector.invalid:4318']);
});

test('otlp_http reports that the proxy refused, and retries', { skip: noOpenssl }, async (t) => {
  const proxy = await openProxy(t, 1, 407);
  const { exporter, log } = await startExporter(t, factory, {
    endpoint: 'https://collector.invalid:4318',
    proxy_url: `http://localhost:${proxy.port}`,
  });
  exporter.consume(readingAt(1, 1));
  await until(() => proxy.asked.length > 1);
  assert.match(log.lines.join(), /expected the proxy to connect, found HTTP 407 Refused/);
});

test('otlp_http uses no proxy for localhost, and names a variable that is not an address', async (t) => {
  const backend = await openHttpBackend(t);
  setVariables(t, { HTTP_PROXY: 'http://proxy.invalid:3128' });
  const { exporter } = await startExporter(t, factory, { endpoint: backend.url });
  exporter.consume(readingAt(1, 1));
  await until(() => backend.received.length === 1);
  setVariables(t, { HTTP_PROXY: 'socks5://proxy.invalid' });
  await assert.rejects(startExporter(t, factory, { endpoint: 'http://collector.invalid:4318' }), {
    message: /Cannot use HTTP_PROXY: expected http:\/\/host:port or https:\/\/host:port, found "socks5:/,
  });
});
