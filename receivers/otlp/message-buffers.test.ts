import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageBuffers, MessageDecoder } from './message-buffers.js';

const maxBytes = 1000;

function messageOf(length: number, fill: number): Buffer {
  const message = Buffer.alloc(5 + length, fill);
  message[0] = 0;
  message.writeUInt32BE(length, 1);
  return message;
}

test('MessageDecoder.write joins messages, wherever pieces end', () => {
  const messages = [messageOf(7, 1), messageOf(0, 0), messageOf(1000, 2), messageOf(1, 3)];
  const bytes = Buffer.concat(messages);
  for (const size of [1, 2, 3, 5, 6, 7, 12, 100, 1009, bytes.length]) {
    const decoder = new MessageDecoder(maxBytes, new MessageBuffers(1e9));
    const found: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size)
      found.push(...decoder.write(bytes.subarray(at, at + size)));
    assert.deepEqual(found, messages, `pieces of ${size} bytes`);
  }
});

test('MessageDecoder.write throws at the length of a message that is too long', () => {
  const decoder = new MessageDecoder(maxBytes, new MessageBuffers(1e9));
  const message = messageOf(maxBytes + 1, 1);
  assert.deepEqual(decoder.write(message.subarray(0, 4)), []);
  assert.throws(() => decoder.write(message.subarray(4, 5)), {
    message: 'Cannot receive a message: expected at most 1000 bytes, found 1001',
  });
});

test('MessageDecoder.write reserves memory for what has arrived, not for what a prefix claims', () => {
  let reserved = 0;
  class CountedRooms extends MessageBuffers {
    override take(bytes: number, arrivedBytes?: number): Buffer {
      const buffer = super.take(bytes, arrivedBytes);
      reserved += buffer.length;
      return buffer;
    }
  }
  const buffers = new CountedRooms(1e9);
  const length = 4_000_000;
  const message = messageOf(length, 7);
  const decoder = new MessageDecoder(length, buffers);
  assert.deepEqual(decoder.write(message.subarray(0, 5)), []);
  assert.ok(reserved < 100, `${reserved} bytes`);
  decoder.write(message.subarray(5, 1000));
  assert.ok(reserved < 10_000, `${reserved} bytes`);
  const [joined] = decoder.write(message.subarray(1000));
  assert.ok(joined?.equals(message));

  // A buffer of the pool is reserved already.
  assert.ok(reserved < 1.5 * length, `${reserved} bytes`);
  buffers.giveBack(buffers.take(2000));
  reserved = 0;
  const next = new MessageDecoder(length, buffers);
  next.write(messageOf(1800, 1).subarray(0, 100));
  assert.equal(reserved, 2500);
});

test('MessageDecoder.write throws while all calls together have received too much', () => {
  const buffers = new MessageBuffers(1500);
  const first = new MessageDecoder(maxBytes, buffers);
  first.write(messageOf(1000, 1));
  const message = messageOf(600, 2);
  const second = new MessageDecoder(maxBytes, buffers);
  assert.deepEqual(second.write(message.subarray(0, 505)), []);
  assert.throws(() => second.write(message.subarray(505)), {
    name: 'BufferLimitError',
    message: 'Cannot accept the request now: expected at most 1500 bytes of requests at a time, found more',
  });
  second.release();
  first.release();
  first.release();
  assert.deepEqual(new MessageDecoder(maxBytes, buffers).write(messageOf(1000, 1)).length, 1);
  assert.throws(() => new MessageDecoder(maxBytes, buffers).write(message), { name: 'BufferLimitError' });
});

test('MessageBuffers reuses a returned buffer, and no other', () => {
  const buffers = new MessageBuffers(1e9);
  const first = buffers.take(800);
  const second = buffers.take(800);
  assert.notEqual(first.buffer, second.buffer);
  buffers.giveBack(first.subarray(5, 100));
  assert.notEqual(buffers.take(2000).buffer, first.buffer);
  assert.equal(buffers.take(1000).buffer, first.buffer);
  assert.notEqual(buffers.take(10).buffer, second.buffer);
});

test('MessageBuffers keeps no buffer twice, none from elsewhere, and not many', () => {
  const buffers = new MessageBuffers(1e9);
  const taken = buffers.take(100);
  buffers.giveBack(taken);
  buffers.giveBack(taken);
  buffers.giveBack(Buffer.alloc(10_000));
  assert.equal(buffers.take(100).buffer, taken.buffer);
  assert.notEqual(buffers.take(100).buffer, taken.buffer);

  const large = buffers.take(4 * 1024 * 1024);
  buffers.giveBack(large);
  assert.notEqual(buffers.take(4 * 1024 * 1024).buffer, large.buffer);

  const many = Array.from({ length: 5 }, () => buffers.take(100));
  for (const one of many) buffers.giveBack(one);
  const memories = many.map(({ buffer }) => buffer);
  const again = Array.from({ length: 5 }, () => memories.indexOf(buffers.take(100).buffer as ArrayBuffer));
  assert.deepEqual(again, [4, 3, 2, 1, -1]);
});
