import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ServerCredentials } from '@grpc/grpc-js';
import { parseSettings } from '../../src/config/settings.js';
import { keepsToken, readingAt, sendWithTokens, startExporter } from '../../src/export/exporter.fixture.js';
import { createCertificate, noOpenssl } from '../../src/http/certificate.fixture.js';
import { openGrpcBackend, type GrpcBackend } from '../../src/otlp/grpc-backend.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { factory } from './factory.js';

const tls = { insecure: true };

const check = (settings: Record<string, unknown>) => factory.check?.(parseSettings(factory.schema, settings));

function listAuthorizations({ received }: GrpcBackend): readonly unknown[] {
  return received.flatMap(({ metadata }) => metadata.get('authorization'));
}

test('otlp_grpc sends a token from a file, and the new one on the same connection', async (t) => {
  const backend = await openGrpcBackend(t);
  const file = join(createFolder(), 'token');
  writeFileSync(file, 'first\n');
  const settings = { endpoint: backend.endpoint, credentials: { bearer_token_file: file }, tls };
  const { exporter, log } = await startExporter(t, factory, { ...settings, headers: { 'X-Tenant': 'a' } });
  await sendWithTokens(exporter, file, backend);
  assert.deepEqual(listAuthorizations(backend), ['Bearer first', 'Bearer second', 'Bearer second']);
  assert.deepEqual(
    backend.received.flatMap(({ metadata }) => metadata.get('x-tenant')),
    ['a', 'a', 'a'],
  );
  assert.match(log.lines.join('\n'), keepsToken);
});

test('otlp_grpc sends a user and a password from a file, also over TLS', { skip: noOpenssl }, async (t) => {
  const { certFile, keyFile } = createCertificate();
  const pair = { cert_chain: readFileSync(certFile), private_key: readFileSync(keyFile) };
  const backend = await openGrpcBackend(t, { credentials: ServerCredentials.createSsl(null, [pair]) });
  const file = join(createFolder(), 'password');
  writeFileSync(file, 'pass: wörd 密\n');
  const credentials = { username: 'me', password_file: file };
  const settings = { endpoint: backend.endpoint, credentials, tls: { ca_file: certFile } };
  const { exporter } = await startExporter(t, factory, settings);
  exporter.consume(readingAt(1, 1));
  await exporter.shutdown();
  const [, encoded = ''] = String(listAuthorizations(backend)[0]).split(' ');
  assert.equal(Buffer.from(encoded, 'base64').toString(), 'me:pass: wörd 密');
});

test('otlp_grpc reports invalid credentials without showing them', async (t) => {
  const file = join(createFolder(), 'token');
  const open = () => startExporter(t, factory, { credentials: { bearer_token_file: file }, tls });
  await assert.rejects(open(), /Cannot read credentials\.bearer_token_file ".*token": ENOENT/);
  // A library that shows the values it refuses must not receive this one.
  writeFileSync(file, 's3crét');
  await assert.rejects(open(), ({ message }: Error) =>
    /^Cannot use credentials\.bearer_token_file ".*": expected printable ASCII, found other characters$/.test(
      message,
    ),
  );
  assert.deepEqual(check({ credentials: { username: 'me' } }), [
    'credentials: expected username and password_file together, found only one of them',
  ]);
  assert.deepEqual(
    check({ credentials: { bearer_token_file: 't' }, headers: { Authorization: 'Bearer x' } }),
    ['headers.Authorization: expected no such header together with credentials'],
  );
});
