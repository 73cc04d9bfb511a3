import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageWriter } from './message-writer.js';
import { parseExportResponse, parseRetryDelayMs } from './responses.js';

const writer = new MessageWriter();

/** google.rpc.Status with one detail of this type, whose value has a Duration as its first field. */
function statusWith(typeUrl: string, seconds: number, nanos: number): Buffer {
  const detail = writer.integer(1, 14).text(2, 'busy').begin(3);
  const value = writer.text(1, typeUrl).begin(2);
  const delay = writer.begin(1);
  return writer.integer(1, seconds).integer(2, nanos).end(delay).end(value).end(detail).finish();
}

test('parseExportResponse reads how many points were thrown away, and why', () => {
  const partial = writer.begin(1);
  const bytes = writer.integer(1, 300).text(2, 'too old').end(partial).finish();
  assert.deepEqual(parseExportResponse(bytes), { rejectedPoints: 300, message: 'too old' });
});

test('parseExportResponse takes a negative count for none', () => {
  for (const count of [-1, -(2 ** 53), -(2 ** 63)]) {
    const partial = writer.begin(1);
    const bytes = writer.integer(1, count).text(2, 'odd').end(partial).finish();
    assert.deepEqual(parseExportResponse(bytes), { rejectedPoints: 0, message: 'odd' });
  }
});

test('parseExportResponse takes an empty response as a full success', () => {
  assert.deepEqual(parseExportResponse(new Uint8Array()), { rejectedPoints: 0, message: '' });
});

test('parseExportResponse skips fields that it does not know', () => {
  const known = writer.double(9, 1).integer(8, -1).begin(1);
  const bytes = writer.fixed64(5, 1n).integer(1, 2).text(7, 'new').end(known).finish();
  assert.deepEqual(parseExportResponse(bytes), { rejectedPoints: 2, message: '' });
});

test('parseExportResponse throws for what is no message', () => {
  assert.throws(() => parseExportResponse(Buffer.from('<html>not found</html>')), RangeError);
  assert.throws(() => parseExportResponse(Buffer.of(0x0a, 0x05, 0x08)), RangeError);
});

test('parseRetryDelayMs reads the delay of a RetryInfo', () => {
  const status = statusWith('type.googleapis.com/google.rpc.RetryInfo', 3, 250_000_000);
  assert.equal(parseRetryDelayMs(status), 3250);
});

test('parseRetryDelayMs finds none among other details', () => {
  assert.equal(parseRetryDelayMs(statusWith('type.googleapis.com/google.rpc.Help', 3, 0)), undefined);
  assert.equal(parseRetryDelayMs(new Uint8Array()), undefined);
});
