import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { compressZstd, createZstdStream, decompressZstd, zstdFrameLength, zstdMissing } from './zstd.js';

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

interface Block {
  readonly length: number;
  readonly type: number;
  readonly isLast?: boolean;
}

/** The header of a block, then as many bytes as are stored. */
function blockOf({ length, type, isLast = false }: Block, stored: number): Buffer {
  const block = Buffer.alloc(3 + stored);
  block.writeUIntLE((length << 3) | (type << 1) | Number(isLast), 0, 3);
  return block;
}

/** A frame of three blocks, of which no content is checked: raw, a byte repeated, and the last one compressed. */
function frameOf(descriptor: number, headerRest: number): Buffer {
  return Buffer.concat([
    Buffer.from('28b52ffd', 'hex'),
    Buffer.of(descriptor),
    Buffer.alloc(headerRest, 0xff),
    blockOf({ length: 5, type: 0 }, 5),
    blockOf({ length: 100_000, type: 1 }, 1),
    blockOf({ length: 7, type: 2, isLast: true }, 7),
    Buffer.alloc((descriptor & 4) === 0 ? 0 : 4, 0xff),
  ]);
}

test('zstdFrameLength knows every header that RFC 8878 describes', () => {
  // The bits of a descriptor: the size of the content (2), single segment, unused (2), checksum, dictionary (2).
  for (const [descriptor, headerRest] of [
    [0b0000_0000, 1],
    [0b0010_0000, 1],
    [0b0100_0000, 1 + 2],
    [0b0110_0000, 2],
    [0b1000_0000, 1 + 4],
    [0b1010_0000, 4],
    [0b1100_0000, 1 + 8],
    [0b1110_0000, 8],
    [0b0000_0001, 1 + 1],
    [0b0000_0010, 1 + 2],
    [0b0000_0011, 1 + 4],
    [0b0010_0101, 1 + 1],
    [0b1110_0111, 4 + 8],
  ] as const) {
    const bytes = frameOf(descriptor, headerRest);
    const note = `descriptor ${descriptor.toString(2)}`;
    assert.equal(zstdFrameLength(Buffer.concat([bytes, frame])), bytes.length, note);
    assert.equal(zstdFrameLength(bytes.subarray(0, -1)), undefined, note);
  }
});

test('decompressZstd gives back what compressZstd was given', { skip: zstdMissing ?? false }, () => {
  assert.equal(decompressZstd(frame).toString(), 'hello hello hello hello');
  for (const content of [Buffer.alloc(0), Buffer.from('é'), randomBytes(200_000)]) {
    assert.deepEqual(decompressZstd(compressZstd(content)), content);
  }
});

test(
  'zstd is refused with the version that has it',
  { skip: zstdMissing === undefined && 'Node has zstd' },
  () => {
    const message = `Cannot use zstd: expected Node 22.15 or later for zstd, found ${process.versions.node}`;
    for (const use of [() => compressZstd(frame), () => decompressZstd(frame), createZstdStream]) {
      assert.throws(use, { message });
    }
  },
);
