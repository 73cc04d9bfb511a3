import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { compressZstd, zstdFrameLength, zstdMissing } from './zstd.js';

/** `hello hello hello hello` by the zstd command line, with a checksum. */
const frame = Buffer.from('28b52ffd04586500003068656c6c6f200100994b11175eae0d', 'hex');

test('zstdFrameLength knows nothing of a frame that is not all there', () => {
  for (let length = 0; length < frame.length; length += 1) {
    assert.equal(zstdFrameLength(frame.subarray(0, length)), undefined, `with ${length} bytes`);
  }
});

test('zstdFrameLength finds the end of a frame', () => {
  assert.equal(zstdFrameLength(Buffer.concat([frame, frame])), frame.length);
});

test('zstdFrameLength finds the end of what zlib writes', { skip: zstdMissing ?? false }, () => {
  for (const content of [
    Buffer.alloc(0),
    Buffer.alloc(1000),
    Buffer.alloc(500_000, 'abc'),
    randomBytes(400_000),
  ]) {
    const bytes = compressZstd(content);
    assert.equal(zstdFrameLength(Buffer.concat([bytes, bytes])), bytes.length, `of ${content.length} bytes`);
  }
});
