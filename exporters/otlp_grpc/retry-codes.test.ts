import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { toExportError } from './retry-codes.js';

test('toExportError recognizes the messages of servers about too large requests', () => {
  const refusals: readonly [status, string][] = [
    [status.RESOURCE_EXHAUSTED, 'grpc: received message larger than max (14441389 vs. 4194304)'],
    [status.RESOURCE_EXHAUSTED, 'grpc: received message after decompression larger than max 4194304'],
    [status.RESOURCE_EXHAUSTED, 'Received message that decompresses to a size larger than 4194304'],
    [status.RESOURCE_EXHAUSTED, 'gRPC message exceeds maximum size 4194304: 5000000'],
    [status.RESOURCE_EXHAUSTED, 'Received message exceeds the maximum configured message size.'],
    [
      status.OUT_OF_RANGE,
      'Error, decoded message length too large: found 5000000 bytes, the limit is: 4194304 bytes',
    ],
    [status.UNKNOWN, 'Received HTTP status code 413'],
  ];
  for (const [code, details] of refusals) {
    const { isTooLarge, retryable } = toExportError(serviceError(code, details));
    assert.deepEqual([isTooLarge, retryable], [true, false], details);
  }
  for (const details of ['quota of the tenant', 'too many series']) {
    assert.equal(toExportError(serviceError(status.RESOURCE_EXHAUSTED, details)).isTooLarge, false);
  }
});

function serviceError(code: status, details: string): Error {
  return Object.assign(new Error(), { code, details, metadata: new Metadata() });
}

test('toExportError retries the codes that the Collector retries, and those of wrong credentials', () => {
  const retryable = Object.values(status).filter((code) => {
    const error = Object.assign(new Error(), { code, details: '', metadata: new Metadata() });
    return typeof code === 'number' && toExportError(error).retryable;
  });
  assert.deepEqual(retryable, [
    status.CANCELLED,
    status.DEADLINE_EXCEEDED,
    status.PERMISSION_DENIED,
    status.ABORTED,
    status.OUT_OF_RANGE,
    status.UNAVAILABLE,
    status.DATA_LOSS,
    status.UNAUTHENTICATED,
  ]);
});

test('toExportError uses the code where the details cannot be parsed', () => {
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from('garbage'));
  const error = Object.assign(new Error(), { code: status.RESOURCE_EXHAUSTED, details: 'full', metadata });
  const { retryable, message } = toExportError(error);
  assert.deepEqual([retryable, message], [false, 'RESOURCE_EXHAUSTED: full']);
});
