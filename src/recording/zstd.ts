import zlib from 'node:zlib';

/** What Node's zlib has of zstd, from 22.15 on. */
interface ZstdZlib {
  readonly zstdCompressSync?: (bytes: Uint8Array) => Buffer;
  readonly zstdDecompressSync?: (bytes: Uint8Array) => Buffer;
  readonly createZstdDecompress?: () => NodeJS.ReadWriteStream;
}

// The types are those of the oldest Node version that is supported.
const { zstdCompressSync, zstdDecompressSync, createZstdDecompress } = zlib as ZstdZlib;

/** Why zstd cannot be used; undefined: it can. */
export const zstdMissing =
  zstdCompressSync === undefined
    ? `Node ${process.versions.node} has no zstd, wanted 22.15 or later`
    : undefined;

/** One frame of zstd. @throws Error where Node has none */
export function compressZstd(bytes: Uint8Array): Buffer {
  return required(zstdCompressSync)(bytes);
}

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
