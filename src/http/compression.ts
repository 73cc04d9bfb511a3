import { promisify } from 'node:util';
import { gzip as gzipWithCallback } from 'node:zlib';
import type { ConfigOf, Schema } from '../component/schema.js';
import { compressZstdLater, zstdMissing } from '../zstd.js';

/** Settings of exporters with compression. */
export const compressionSettings = {
  compression: {
    doc: 'How requests are compressed.',
    format: ['gzip', 'none'],
    default: 'gzip',
  },
  compression_params: {
    level: {
      doc: 'Level of gzip: 1 is the fastest, 9 makes the smallest requests, 0 does not compress, -1 is the default of zlib (6).',
      format: 'int',
      default: 1,
      min: -1,
      max: 9,
    },
  },
} as const satisfies Schema;

/** The same for exporters over HTTP. */
export const httpCompressionSettings = {
  compression: {
    doc: 'How requests are compressed. `zstd` needs Node 22.15 or later.',
    format: ['gzip', 'zstd', 'none'],
    default: 'gzip',
  },
  compression_params: {
    level: {
      doc: 'Level of compression. gzip: 1 is the fastest, 9 makes the smallest requests, 0 does not compress, -1 is the default of zlib (6). zstd: 1 to 22; 0 and -1 mean 1.',
      format: 'int',
      default: 1,
      min: -1,
      max: 22,
    },
  },
} as const satisfies Schema;

export type CompressionConfig = ConfigOf<typeof httpCompressionSettings>;

const maxGzipLevel = 9;

/** Validates these settings for this version of Node. */
export function checkCompression({
  compression,
  compression_params: { level },
}: CompressionConfig): readonly string[] {
  if (compression === 'zstd') return zstdMissing === undefined ? [] : [`compression: ${zstdMissing}`];
  if (compression === 'none' || level <= maxGzipLevel) return [];
  return [`compression_params.level: expected at most ${maxGzipLevel} for gzip, found ${level}`];
}

/** A compression algorithm. */
export interface Compression {
  /** Its name in Content-Encoding. */
  readonly encoding: string;
  compress(bytes: Uint8Array): Promise<Uint8Array>;
}

/** The compression in the settings; undefined: none. */
export function createCompression({
  compression,
  compression_params: { level },
}: CompressionConfig): Compression | undefined {
  if (compression === 'none') return undefined;
  if (compression === 'zstd')
    return { encoding: 'zstd', compress: (bytes) => compressZstdLater(bytes, Math.max(1, level)) };
  return { encoding: 'gzip', compress: (bytes) => gzip(bytes, level) };
}

const gzipAsync = promisify(gzipWithCallback);
const minChunkBytes = 16 * 1024;
/**
 * The expected compression ratio, so that the result fits into one chunk: each further chunk takes another
 * round trip to the thread pool.
 */
const expectedRatio = 8;

/** Compresses a request on another thread. */
export function gzip(bytes: Uint8Array, level: number): Promise<Buffer> {
  return gzipAsync(bytes, {
    level,
    chunkSize: Math.max(minChunkBytes, Math.ceil(bytes.length / expectedRatio)),
  });
}
