import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readingAt, startExporter } from '../../src/export/exporter.fixture.js';
import { createCertificate, noOpenssl } from '../../src/http/certificate.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import { openKafkaBroker } from './kafka-broker.fixture.js';

const skip = { skip: noOpenssl };

test('kafka verifies the certificate of the broker', skip, async (t) => {
  const certificate = createCertificate();
  const broker = await openKafkaBroker(t, { certificate });
  const brokers = [broker.address];
  const strict = await startExporter(t, factory, { brokers, tls: { insecure: false } });
  strict.exporter.consume(readingAt(1, 1));
  await until(() => strict.log.lines.length > 0);
  assert.match(strict.log.lines[0] ?? '', /self-signed certificate/);
  assert.deepEqual(broker.takenValues(), []);
  const trusting = await startExporter(t, factory, { brokers, tls: { ca_file: certificate.certFile } });
  trusting.exporter.consume(readingAt(1, 2));
  await until(() => broker.takenValues().length > 0);
  assert.deepEqual(broker.takenValues(), [2]);
});

test('kafka skips the verification with a warning if configured', skip, async (t) => {
  const broker = await openKafkaBroker(t, { certificate: createCertificate() });
  const settings = { brokers: [broker.address], tls: { insecure_skip_verify: true } };
  const { exporter, log } = await startExporter(t, factory, settings);
  assert.match(log.lines[0] ?? '', /^warn: Any machine can pretend to be localhost/);
  exporter.consume(readingAt(1, 3));
  await until(() => broker.takenValues().length === 1);
});

test(
  'kafka authenticates with a certificate, and expects another server name if configured',
  skip,
  async (t) => {
    const certificate = createCertificate();
    const { certFile, keyFile } = certificate;
    const broker = await openKafkaBroker(t, { certificate, isMutual: true, address: '127.0.0.1' });
    const files = { ca_file: certFile, cert_file: certFile, key_file: keyFile };
    const settings = { brokers: [broker.address], tls: { ...files, server_name_override: 'localhost' } };
    const { exporter } = await startExporter(t, factory, settings);
    exporter.consume(readingAt(1, 3));
    await until(() => broker.takenValues().length === 1);
  },
);

test('kafka reports that the broker requires TLS if it connects without', skip, async (t) => {
  const broker = await openKafkaBroker(t, { certificate: createCertificate() });
  const { exporter, log } = await startExporter(t, factory, { brokers: [broker.address] });
  exporter.consume(readingAt(1, 1));
  await until(() => log.lines.length > 0);
  assert.match(log.lines[0] ?? '', /Connection closed, as a broker does that wants TLS at this port/);
});

test('kafka authenticates with the password of a file, and with the new one when the file has changed', async (t) => {
  const broker = await openKafkaBroker(t, { user: 'me:second' });
  const file = join(createFolder(), 'password');
  writeFileSync(file, 'first\n');
  const sasl = { mechanism: 'PLAIN', username: 'me', password_file: file };
  const { exporter, log } = await startExporter(t, factory, { brokers: [broker.address], auth: { sasl } });
  exporter.consume(readingAt(1, 1));
  await until(() => log.lines.length > 0);
  assert.match(log.lines[0] ?? '', /SASL_AUTHENTICATION_FAILED.*Keeping data and trying again/);
  writeFileSync(file, 'second\n');
  await until(() => broker.takenValues().length === 1);
  assert.deepEqual([broker.logins[0], broker.logins.at(-1)], ['me:first', 'me:second']);
  await assert.rejects(
    startExporter(t, factory, { auth: { sasl: { ...sasl, password_file: '/nowhere' } } }),
    /Cannot read auth\.sasl\.password_file "\/nowhere": ENOENT/,
  );
});
