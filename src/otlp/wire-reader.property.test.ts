import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { holdsFor } from '../contract/property.fixture.js';
import { parseExportResponse, parseRetryDelayMs } from './responses.js';
import { readFields } from './wire-reader.js';
import { tagOf, wireTypes, writeMessageStart, writeVarint } from './wire.js';

function encodeVarint(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(20);
  bytes[0] = tagOf(field, wireTypes.varint);
  return bytes.subarray(0, writeVarint(bytes, 1, value));
}

function encodeMessage(field: number, content: Uint8Array): Buffer {
  const start = Buffer.alloc(20);
  const length = writeMessageStart(start, 0, tagOf(field, wireTypes.lengthDelimited), content.length);
  return Buffer.concat([start.subarray(0, length), content]);
}

const field = fc.integer({ min: 1, max: 15 });

test('readFields gives back numbers and bytes', () => {
  const value = fc.oneof(fc.maxSafeNat(), fc.uint8Array({ maxLength: 300 }));
  holdsFor(fc.array(fc.tuple(field, value)), (fields) => {
    const message = Buffer.concat(
      fields.map(([number, one]) =>
        typeof one === 'number' ? encodeVarint(number, one) : encodeMessage(number, one),
      ),
    );
    const read = readFields(message).map(({ number, value: one }) => [
      number,
      typeof one === 'number' ? one : [...one],
    ]);
    assert.deepEqual(
      read,
      fields.map(([number, one]) => [number, typeof one === 'number' ? one : [...one]]),
    );
  });
});

/** Bytes that nearly are a response or a status. */
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc
    .array(fc.tuple(field, fc.uint8Array({ maxLength: 20 })), { maxLength: 4 })
    .map((fields) => Buffer.concat(fields.map(([number, content]) => encodeMessage(number, content)))),
);

function orRangeError<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof RangeError, String(error));
    return undefined;
  }
}

test('the readers of answers understand any bytes or say that they are none', () => {
  holdsFor(anyBytes, (bytes) => {
    const response = orRangeError(() => parseExportResponse(bytes));
    assert.ok(response === undefined || response.rejectedPoints >= 0);
    orRangeError(() => parseRetryDelayMs(bytes));
  });
});

/** A google.rpc.Status with a RetryInfo that holds these bytes as its Duration. */
function encodeRetryInfo(duration: Uint8Array): Buffer {
  const type = encodeMessage(1, Buffer.from('type.googleapis.com/google.rpc.RetryInfo'));
  return encodeMessage(3, Buffer.concat([type, encodeMessage(2, encodeMessage(1, duration))]));
}

test('parseRetryDelayMs gives back the delay', () => {
  holdsFor(fc.tuple(fc.nat(315_576_000_000), fc.nat(999_999_999)), ([seconds, nanoseconds]) => {
    const duration = Buffer.concat([encodeVarint(1, seconds), encodeVarint(2, nanoseconds)]);
    assert.equal(parseRetryDelayMs(encodeRetryInfo(duration)), seconds * 1000 + nanoseconds / 1e6);
  });
});

test('parseRetryDelayMs gives a delay that can be waited for, or none, whatever the Duration says', () => {
  const longest = 315_576_000_001_000; // 10,000 years, the most that a google.protobuf.Duration may say
  // A negative number is a varint of ten bytes.
  const negative = Buffer.from([0x08, ...Array.from({ length: 9 }, () => 0xff), 0x01]);
  holdsFor(fc.oneof(fc.constant(negative), fc.uint8Array({ maxLength: 24 })), (duration) => {
    const delay = orRangeError(() => parseRetryDelayMs(encodeRetryInfo(duration)));
    assert.ok(delay === undefined || (delay >= 0 && delay <= longest), `${delay}`);
  });
});
