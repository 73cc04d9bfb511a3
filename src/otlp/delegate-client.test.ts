import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { readFields, wireTypes } from '../protobuf.js';
import { holdsFor } from '../testing/property.fixture.js';
import { parseRetryDelayMs } from './delegate-client.js';
import { parseExportResponse } from './export-response.js';
import { MessageWriter, tagOf, writeMessageStart, writeVarint } from './wire.js';

const writer = new MessageWriter();

/** google.rpc.Status with one detail of this type, whose value has a Duration as its first field. */
function statusWith(typeUrl: string, seconds: number, nanos: number): Buffer {
  const detail = writer.integer(1, 14).text(2, 'busy').begin(3);
  const value = writer.text(1, typeUrl).begin(2);
  const delay = writer.begin(1);
  return writer.integer(1, seconds).integer(2, nanos).end(delay).end(value).end(detail).finish();
}

test('parseExportResponse reads how many points were rejected, and why', () => {
  const partial = writer.begin(1);
  const bytes = writer.integer(1, 300).text(2, 'too old').end(partial).finish();
  assert.deepEqual(parseExportResponse(bytes), { rejectedPoints: 300, message: 'too old' });
});

test('parseExportResponse treats a negative count as 0', () => {
  for (const count of [-1, -(2 ** 53), -(2 ** 63)]) {
    const partial = writer.begin(1);
    const bytes = writer.integer(1, count).text(2, 'odd').end(partial).finish();
    assert.deepEqual(parseExportResponse(bytes), { rejectedPoints: 0, message: 'odd' });
  }
});

test('parseExportResponse treats an empty response as complete success', () => {
  assert.deepEqual(parseExportResponse(new Uint8Array()), { rejectedPoints: 0, message: '' });
});

test('parseExportResponse skips fields that it does not know', () => {
  const known = writer.double(9, 1).integer(8, -1).begin(1);
  const bytes = writer.fixed64(5, 1n).integer(1, 2).text(7, 'new').end(known).finish();
  assert.deepEqual(parseExportResponse(bytes), { rejectedPoints: 2, message: '' });
});

test('parseExportResponse throws for bytes that are not a message', () => {
  assert.throws(() => parseExportResponse(Buffer.from('<html>not found</html>')), RangeError);
  assert.throws(() => parseExportResponse(Buffer.of(0x0a, 0x05, 0x08)), RangeError);
});

test('parseRetryDelayMs reads the delay of a RetryInfo', () => {
  const status = statusWith('type.googleapis.com/google.rpc.RetryInfo', 3, 250_000_000);
  assert.equal(parseRetryDelayMs(status), 3250);
});

test('parseRetryDelayMs returns undefined for other details', () => {
  assert.equal(parseRetryDelayMs(statusWith('type.googleapis.com/google.rpc.Help', 3, 0)), undefined);
  assert.equal(parseRetryDelayMs(new Uint8Array()), undefined);
});

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

test('readFields returns the encoded numbers and bytes', () => {
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

/** Bytes that are almost a response or a status. */
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

test('the readers of answers decode any bytes or reject them as invalid', () => {
  holdsFor(anyBytes, (bytes) => {
    const response = orRangeError(() => parseExportResponse(bytes));
    assert.ok(response === undefined || response.rejectedPoints >= 0);
    orRangeError(() => parseRetryDelayMs(bytes));
  });
});

/** A google.rpc.Status with a RetryInfo that has these bytes as its Duration. */
function encodeRetryInfo(duration: Uint8Array): Buffer {
  const type = encodeMessage(1, Buffer.from('type.googleapis.com/google.rpc.RetryInfo'));
  return encodeMessage(3, Buffer.concat([type, encodeMessage(2, encodeMessage(1, duration))]));
}

test('parseRetryDelayMs returns the encoded delay', () => {
  holdsFor(fc.tuple(fc.nat(315_576_000_000), fc.nat(999_999_999)), ([seconds, nanoseconds]) => {
    const duration = Buffer.concat([encodeVarint(1, seconds), encodeVarint(2, nanoseconds)]);
    assert.equal(parseRetryDelayMs(encodeRetryInfo(duration)), seconds * 1000 + nanoseconds / 1e6);
  });
});

test('parseRetryDelayMs returns a usable delay, or none, for any Duration', () => {
  const longest = 315_576_000_001_000; // 10,000 years, the maximum of a google.protobuf.Duration
  // A negative number is a varint of ten bytes.
  const negative = Buffer.from([0x08, ...Array.from({ length: 9 }, () => 0xff), 0x01]);
  holdsFor(fc.oneof(fc.constant(negative), fc.uint8Array({ maxLength: 24 })), (duration) => {
    const delay = orRangeError(() => parseRetryDelayMs(encodeRetryInfo(duration)));
    assert.ok(delay === undefined || (delay >= 0 && delay <= longest), `${delay}`);
  });
});

test('readFields reports what it expected of bytes that are not a message', () => {
  for (const [bytes, expected] of [
    [[0x0b], 'expected wire type 0, 1, 2 or 5 before byte 1, found 3'],
    [[0x08, 0x80], 'expected a number of 1 to 10 bytes at byte 1, found no end of it'],
    [[0x0a, 0x02, 0x00], 'expected at least 4 bytes, found 3'],
  ] as const) {
    assert.throws(() => readFields(Uint8Array.from(bytes)), {
      message: `Cannot read a message: ${expected}`,
    });
  }
});
