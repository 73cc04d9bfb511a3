import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConnectionError } from './connection-error.js';

test('describeConnectionError explains the answers of another protocol on the port', () => {
  const openssl =
    'write EPROTO 800C:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../x.c:350:\n';
  assert.equal(describeConnectionError(openssl), 'the backend does not speak TLS at this port');
  const grpc = 'No connection established. Last error: Protocol error (2026-11-21T21:35:59.453Z)';
  assert.match(describeConnectionError(grpc), /^the backend does not speak gRPC/);
  assert.match(describeConnectionError('Parse Error: Expected HTTP/, RTSP/ or ICE/'), /4318$/);
});

test('describeConnectionError removes the heading of an empty note', () => {
  const last = 'No connection established. Last error: connect ECONNREFUSED 127.0.0.1:4317';
  assert.equal(describeConnectionError(`${last}. Resolution note: `), last);
});

test('describeConnectionError leaves other messages as they are', () => {
  assert.equal(
    describeConnectionError('connect ECONNREFUSED 127.0.0.1:4317'),
    'connect ECONNREFUSED 127.0.0.1:4317',
  );
});
