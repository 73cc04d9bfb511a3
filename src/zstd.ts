import { promisify } from 'node:util';
import zlib, { type InputType, type ZlibOptions } from 'node:zlib';

/** Options of Node for zstd, those that are used here. */
interface ZstdOptions extends Pick<ZlibOptions, 'maxOutputLength'> {
  readonly params?: Readonly<Record<number, number>>;
}

/** How Node calls zstd on another thread. */
type ZstdCall = (
  bytes: InputType,
  options: ZstdOptions,
  callback: (error: Error | null, result: Buffer) => void,
) => void;

/** What Node's zlib has of zstd, from 22.15 on. */
interface ZstdZlib {
  readonly zstdCompressSync?: (bytes: Uint8Array) => Buffer;
  readonly zstdDecompressSync?: (bytes: Uint8Array) => Buffer;
  readonly zstdCompress?: ZstdCall;
  readonly zstdDecompress?: ZstdCall;
  readonly createZstdDecompress?: () => NodeJS.ReadWriteStream;
}

// The types are those of the oldest Node version that is supported.
const { zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync, createZstdDecompress } =
  zlib as ZstdZlib;
/** ZSTD_c_compressionLevel of zstd.h; Node's own constant is not there in its older versions. */
const compressionLevel = 100;

/** Why zstd cannot be used; undefined: it can. */
export const zstdMissing =
  zstdCompressSync === undefined
    ? `expected Node 22.15 or later for zstd, found ${process.versions.node}`
    : undefined;

/** One frame of zstd. @throws Error where Node has none */
export function compressZstd(bytes: Uint8Array): Buffer {
  return required(zstdCompressSync)(bytes);
}

/** One frame of zstd, made on another thread. @throws Error where Node has none */
export function compressZstdLater(bytes: Uint8Array, level: number): Promise<Buffer> {
  const compress = promisify<InputType, ZstdOptions, Buffer>(required(zstdCompress));
  return compress(bytes, { params: { [compressionLevel]: level } });
}

/** Decompresses frames on another thread; undefined: Node cannot. */
export const decompressZstdLater =
  zstdDecompress && promisify<InputType, ZstdOptions, Buffer>(zstdDecompress);

/** The bytes of a frame. @throws Error where Node has none */
export function decompressZstd(bytes: Uint8Array): Buffer {
  return required(zstdDecompressSync)(bytes);
}

/** A stream that decompresses frames. @throws Error where Node has none */
export function createZstdStream(): NodeJS.ReadWriteStream {
  return required(createZstdDecompress)();
}

function required<T>(one: T | undefined): T {
  if (one === undefined) throw new Error(`Cannot use zstd: ${zstdMissing}`);
  return one;
}

// The layout of a frame is that of RFC 8878, section 3.1.1.

const magicBytes = 4;
const blockHeaderBytes = 3;
const checksumBytes = 4;
const rleBlock = 1;

/**
 * How many bytes the zstd frame at the start of these bytes has.
 * @returns undefined when it is not all there
 */
export function zstdFrameLength(bytes: Buffer): number | undefined {
  if (bytes.length <= magicBytes) return undefined;
  const descriptor = bytes.readUInt8(magicBytes);
  let at = magicBytes + frameHeaderLength(descriptor);
  for (let isLast = false; !isLast;) {
    if (at + blockHeaderBytes > bytes.length) return undefined;
    const header = bytes.readUIntLE(at, blockHeaderBytes);
    isLast = (header & 1) === 1;
    const isRle = ((header >> 1) & 3) === rleBlock;
    at += blockHeaderBytes + (isRle ? 1 : header >> 3);
  }
  const length = at + ((descriptor & 4) === 0 ? 0 : checksumBytes);
  return length <= bytes.length ? length : undefined;
}

/** Descriptor, window, dictionary and size of the content. */
function frameHeaderLength(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? (isSingleSegment ? 1 : 0) : 2 ** sizeFlag;
  const idFlag = descriptor & 3;
  const idBytes = idFlag === 3 ? 4 : idFlag;
  return 1 + (isSingleSegment ? 0 : 1) + idBytes + sizeBytes;
}
