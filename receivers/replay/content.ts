import { pipeline, Readable } from 'node:stream';
import { constants, createGunzip } from 'node:zlib';
import { createZstdStream, decompressZstd, zstdFrameLength } from '../../src/zstd.js';
import type { Config } from './config.js';

/** The content of a file. */
export type ContentFormat = Exclude<Config['format'], 'auto'>;

const magics = {
  parquet: Buffer.from('PAR1'),
  sqlite: Buffer.from('SQLite f'),
  gzip: Buffer.of(0x1f, 0x8b),
  zstd: Buffer.of(0x28, 0xb5, 0x2f, 0xfd),
};

/** Enough to recognize a format. */
const headBytes = 8;

/** Bytes whose start was already read. */
interface Peeked {
  readonly head: Buffer;
  readonly bytes: AsyncIterable<Buffer>;
}

/** The decompressed text of a file; for a binary file, its format. */
export async function openText(
  source: AsyncIterable<Buffer>,
): Promise<AsyncIterable<Buffer> | 'parquet' | 'sqlite'> {
  const { head, bytes } = await peek(source);
  const binary = (['parquet', 'sqlite'] as const).find((format) => startsWith(head, magics[format]));
  if (binary !== undefined) return binary;
  // A gzip member or zstd frame that a crash left incomplete is read as far as possible.
  if (startsWith(head, magics.gzip)) {
    const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
    // The reader receives later errors.
    return pipeline(Readable.from(bytes), gunzip, () => {});
  }
  if (startsWith(head, magics.zstd)) return readFrames(bytes);
  return startsWith(head.subarray(4), magics.zstd) ? readMessages(bytes) : bytes;
}

/** Detects the format of a text by its start. */
export async function detectFormat(
  text: AsyncIterable<Buffer>,
): Promise<{ readonly format: ContentFormat | undefined; readonly text: AsyncIterable<Buffer> }> {
  const { head, bytes } = await peek(text);
  const start = head.toString().trimStart();
  const format = start.startsWith('{') ? 'json' : start.startsWith('time,') ? 'csv' : undefined;
  return { format, text: bytes };
}

/** Waits for the first bytes, which stay in the sequence. */
async function peek(source: AsyncIterable<Buffer>): Promise<Peeked> {
  const iterator = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  let isDone = false;
  while (head.length < headBytes && !isDone) {
    const next = await iterator.next();
    isDone = next.done === true;
    if (!next.done) head = Buffer.concat([head, next.value]);
  }
  return { head, bytes: resume(head, iterator, isDone) };
}

/** The bytes already read, then the rest. */
async function* resume(
  head: Buffer,
  iterator: AsyncIterator<Buffer>,
  isDone: boolean,
): AsyncIterable<Buffer> {
  yield head;
  if (!isDone) yield* { [Symbol.asyncIterator]: () => iterator };
}

function startsWith(bytes: Buffer, magic: Buffer): boolean {
  return bytes.subarray(0, magic.length).equals(magic);
}

/** Messages that are compressed individually, each after its length: zstd files of the Collector's file exporter. */
async function* readMessages(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of source) {
    bytes = Buffer.concat([bytes, chunk]);
    while (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE()) {
      const end = 4 + bytes.readUInt32BE();
      yield Buffer.concat([decompressZstd(bytes.subarray(4, end)), Buffer.from('\n')]);
      bytes = bytes.subarray(end);
    }
  }
}

/** Frames up to this size are decompressed individually: Node's stream stops after the first frame. */
const longestFrameBytes = 16 * 1024 * 1024;

async function* readFrames(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const iterator = source[Symbol.asyncIterator]();
  let bytes = Buffer.alloc(0);
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    bytes = Buffer.concat([bytes, next.value]);
    for (let length = zstdFrameLength(bytes); length !== undefined; length = zstdFrameLength(bytes)) {
      yield decompressZstd(bytes.subarray(0, length));
      bytes = bytes.subarray(length);
    }
    if (bytes.length <= longestFrameBytes) continue;
    const rest = Readable.from(resume(bytes, iterator, false));
    yield* pipeline(rest, createZstdStream(), () => {}) as unknown as AsyncIterable<Buffer>;
    return;
  }
}
