import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toExportError } from './retry-codes.js';

function isRetried(fields: Readonly<Record<string, unknown>>): boolean {
  return toExportError(Object.assign(new Error('no'), fields), false).retryable;
}

test('toExportError retries connection errors, also those that the driver wraps', () => {
  assert.equal(isRetried({ name: 'MongoNetworkError' }), true);
  assert.equal(isRetried({ name: 'MongoBulkWriteError', code: undefined }), true);
  assert.equal(isRetried({ code: 'EPIPE' }), true);
});

test('toExportError retries temporary errors of a server, and no others', () => {
  const [authenticationFailed, invalidNamespace] = [18, 73];
  assert.equal(isRetried({ name: 'MongoServerError', code: authenticationFailed }), true);
  assert.equal(isRetried({ name: 'MongoServerError', code: invalidNamespace }), false);
  assert.equal(isRetried({ code: invalidNamespace, errorLabels: ['RetryableWriteError'] }), true);
  assert.equal(isRetried({ name: 'TypeError' }), false);
});
