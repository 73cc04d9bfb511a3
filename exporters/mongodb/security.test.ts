import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readingAt, startExporter } from '../../src/export/exporter.fixture.js';
import { createCertificate, noOpenssl } from '../../src/http/certificate.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import { openMongoServer } from './mongo-server.fixture.js';

const skip = { skip: noOpenssl };
const timeout = '1s';

test('mongodb verifies the certificate of the server', skip, async (t) => {
  const certificate = createCertificate();
  const { endpoint, stored } = await openMongoServer(t, { certificate });
  const strict = await startExporter(t, factory, { endpoint, timeout, tls: { insecure: false } });
  strict.exporter.consume(readingAt(1, 1));
  await until(() => strict.log.lines.length > 0);
  assert.match(strict.log.lines[0] ?? '', /self-signed certificate/);
  assert.equal(stored.length, 0);
  const tls = { ca_file: certificate.certFile };
  const trusting = await startExporter(t, factory, { endpoint, tls });
  trusting.exporter.consume(readingAt(1, 2));
  await until(() => stored.length === 1);
});

test('mongodb skips the verification with a warning if configured', skip, async (t) => {
  const { endpoint, stored } = await openMongoServer(t, { certificate: createCertificate() });
  const settings = { endpoint, tls: { insecure_skip_verify: true } };
  const { exporter, log } = await startExporter(t, factory, settings);
  assert.match(log.lines[0] ?? '', /^warn: Any machine can pretend to be localhost/);
  exporter.consume(readingAt(1, 3));
  await until(() => stored.length === 1);
});

test(
  'mongodb authenticates with a certificate, and expects another server name if configured',
  skip,
  async (t) => {
    const certificate = createCertificate();
    const { certFile, keyFile } = certificate;
    const { endpoint, stored } = await openMongoServer(t, {
      certificate,
      isMutual: true,
      address: '127.0.0.1',
    });
    const tls = {
      ca_file: certFile,
      cert_file: certFile,
      key_file: keyFile,
      server_name_override: 'localhost',
    };
    const { exporter } = await startExporter(t, factory, { endpoint, tls });
    exporter.consume(readingAt(1, 3));
    await until(() => stored.length === 1);
  },
);
