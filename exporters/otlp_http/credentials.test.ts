import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { keepsToken, readingAt, sendWithTokens, startExporter } from '../../src/export/exporter.fixture.js';
import { openHttpBackend } from '../../src/http/http-backend.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { factory } from './factory.js';

test('otlp_http sends a token from a file, and the new one once the file has changed', async (t) => {
  const backend = await openHttpBackend(t);
  const file = join(createFolder(), 'token');
  writeFileSync(file, 'first\n');
  const settings = { endpoint: backend.url, credentials: { bearer_token_file: file } };
  const { exporter, log } = await startExporter(t, factory, settings);
  const authorizations = () => backend.received.map(({ headers }) => headers.authorization);
  await sendWithTokens(exporter, file, backend);
  assert.deepEqual(authorizations(), ['Bearer first', 'Bearer second', 'Bearer second']);
  assert.match(log.lines.join('\n'), keepsToken);
});

test('otlp_http sends a user and a password from a file', async (t) => {
  const backend = await openHttpBackend(t);
  const file = join(createFolder(), 'password');
  writeFileSync(file, 'pass: wörd 密\n');
  const credentials = { username: 'me', password_file: file };
  const { exporter } = await startExporter(t, factory, { endpoint: backend.url, credentials });
  exporter.consume(readingAt(1, 1));
  await exporter.shutdown();
  const [, encoded = ''] = (backend.received[0].headers.authorization ?? '').split(' ');
  assert.equal(Buffer.from(encoded, 'base64').toString(), 'me:pass: wörd 密');
});

const checkSettings = (settings: Record<string, unknown>) =>
  factory.check?.(parseSettings(factory.schema, settings));

test('otlp_http reports invalid credentials without showing them', async (t) => {
  const file = join(createFolder(), 'token');
  writeFileSync(file, 's3cret\ns3cret\n');
  const open = (path: string) => startExporter(t, factory, { credentials: { bearer_token_file: path } });
  await assert.rejects(open(file), ({ message }: Error) =>
    /^Cannot use credentials\.bearer_token_file ".*": expected one line of text, found several$/.test(
      message,
    ),
  );
  writeFileSync(file, 't密');
  await assert.rejects(open(file), /: expected printable ASCII, found other characters$/);
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
      'headers.authorization: expected no such header together with credentials',
      'credentials: expected bearer_token_file or username, found both',
      'credentials.username: expected a name without ":", found one',
    ],
  );
});
