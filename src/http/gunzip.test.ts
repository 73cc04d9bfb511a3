import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { decompressGzip } from './gunzip.js';

const limit = 4 * 1024 * 1024;

test('decompressGzip restores compressed data, synchronously if it is small', async () => {
  for (const [size, isAtOnce] of [
    [0, true],
    [1, true],
    [100_000, true],
    [2 * 1024 * 1024, true],
    [2 * 1024 * 1024 + 1, false],
    [limit, false],
  ] as const) {
    const bytes = Buffer.alloc(size, 'abc');
    const result = decompressGzip(gzipSync(bytes), limit);
    assert.equal(Buffer.isBuffer(result), isAtOnce, `${size} bytes`);
    assert.ok((await result).equals(bytes), `${size} bytes`);
  }
});

test('decompressGzip reads several members, whatever the last one claims', async () => {
  const parts = [Buffer.alloc(50_000, 'a'), Buffer.alloc(10, 'b')];
  const members = Buffer.concat(parts.map((part) => gzipSync(part)));
  assert.ok((await decompressGzip(members, limit)).equals(Buffer.concat(parts)));
});

test('decompressGzip refuses a result larger than the limit, even if it claims to be smaller', async () => {
  const bytes = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  for (const claimed of [64 * 1024 * 1024, 0, 100]) {
    bytes.writeUInt32LE(claimed, bytes.length - 4);
    await assert.rejects(async () => decompressGzip(bytes, limit), { code: 'ERR_BUFFER_TOO_LARGE' });
  }
  await assert.rejects(async () => decompressGzip(gzipSync('abc'), 2), { code: 'ERR_BUFFER_TOO_LARGE' });
});

test('decompressGzip refuses data that is not gzip, damaged or truncated', async () => {
  const whole = gzipSync(Buffer.alloc(1000, 'abc'));
  const damaged = Buffer.from(whole).fill(0x55, 12, 16);
  for (const bytes of [
    Buffer.of(),
    Buffer.from('abc'),
    Buffer.alloc(100, 'x'),
    damaged,
    whole.subarray(0, -6),
  ])
    await assert.rejects(async () => decompressGzip(bytes, limit));
});
