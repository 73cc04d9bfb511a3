import { pipeline, Readable } from 'node:stream';
import { constants, createGunzip } from 'node:zlib';
import { createZstdStream, decompressZstd, zstdFrameLength } from '../../src/zstd.js';
import type { Config } from './config.js';

/** What a file holds. */
export type ContentFormat = Exclude<Config['format'], 'auto'>;

const magics = {
  parquet: Buffer.from('PAR1'),
  sqlite: Buffer.from('SQLite f'),
  gzip: Buffer.of(0x1f, 0x8b),
  zstd: Buffer.of(0x28, 0xb5, 0x2f, 0xfd),
};

/** Enough to tell what a file is. */
const headBytes = 8;

/** Bytes with the first of them seen already. */
interface Peeked {
  readonly head: Buffer;
  readonly bytes: AsyncIterable<Buffer>;
}

/** The text of a file, decompressed; for a file that is no text, its format. */
export async function openText(
  source: AsyncIterable<Buffer>,
): Promise<AsyncIterable<Buffer> | 'parquet' | 'sqlite'> {
  const { head, bytes } = await peek(source);
  const binary = (['parquet', 'sqlite'] as const).find((format) => startsWith(head, magics[format]));
  if (binary !== undefined) return binary;
  // A member or frame that a crash left torn is read as far as it goes.
  if (startsWith(head, magics.gzip)) {
    const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
    // Who reads learns of what goes wrong on the way.
    return pipeline(Readable.from(bytes), gunzip, () => {});
  }
  if (startsWith(head, magics.zstd)) return readFrames(bytes);
  return startsWith(head.subarray(4), magics.zstd) ? readMessages(bytes) : bytes;
}

/** What a text is, by how it begins. */
export async function detectFormat(
  text: AsyncIterable<Buffer>,
): Promise<{ readonly format: ContentFormat | undefined; readonly text: AsyncIterable<Buffer> }> {
  const { head, bytes } = await peek(text);
  const start = head.toString().trimStart();
  const format = start.startsWith('{') ? 'json' : start.startsWith('time,') ? 'csv' : undefined;
  return { format, text: bytes };
}

/** Waits for the first bytes, which the sequence still has afterwards. */
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

/** What was seen already, then the rest, if there is some. */
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

/** Messages compressed one by one, each after its length: what the Collector's file exporter makes of zstd. */
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

/** Frames up to this long are decompressed one by one: Node's stream stops after the first one. */
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
