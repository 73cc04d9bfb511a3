import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hideCredentials } from './endpoint.js';
import { findReaderProblems, telemetrySchema } from './service-schema.js';
import { parseSettings } from './settings.js';

test('hideCredentials leaves out who logs in, with or without a scheme, and nothing else', () => {
  assert.equal(hideCredentials('https://me:secret@host:4317/a'), 'https://[REDACTED]@host:4317/a');
  assert.equal(hideCredentials('me:se@cret@host:4317'), '[REDACTED]@host:4317');
  for (const plain of ['localhost:4317', 'http://host/user@domain', '']) {
    assert.equal(hideCredentials(plain), plain);
  }
});

test('what is wrong with the endpoint of a reader is said without its password', () => {
  const periodic = { exporter: { otlp: { endpoint: 'http://me:secret@host:4317' } } };
  const { metrics } = parseSettings(telemetrySchema, { metrics: { readers: [{ periodic }] } });
  assert.deepEqual(
    findReaderProblems(metrics.readers).map(({ message }) => message),
    ['expected host:port such as "localhost:4317", found "http://[REDACTED]@host:4317"'],
  );
});
