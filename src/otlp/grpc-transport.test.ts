import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGrpcMetadata } from './grpc-transport.js';

test('createGrpcMetadata accepts what gRPC can send', () => {
  assert.deepEqual(createGrpcMetadata({ 'X-Tok.a_1': 'Bearer *abc: {d}' }).getMap(), {
    'x-tok.a_1': 'Bearer *abc: {d}',
  });
});

test('createGrpcMetadata names the header that gRPC cannot send, but not its value', () => {
  for (const [name, expected] of [
    ['x tok', 'a name of letters'],
    ['x-bin', 'a name that does not end'],
    ['x-tok', 'a value of printable ASCII'],
  ] as const) {
    const create = () => createGrpcMetadata({ [name]: 's3cret\n' });
    assert.throws(create, ({ message }: Error) => message.includes(expected) && !message.includes('s3cret'));
  }
});
