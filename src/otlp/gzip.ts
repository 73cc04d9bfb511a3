import { promisify } from 'node:util';
import { gzip as gzipWithCallback } from 'node:zlib';

const gzipAsync = promisify(gzipWithCallback);
const minChunkBytes = 16 * 1024;
/** OTLP becomes that much smaller, so that the result comes in one piece: another one takes another turn of the threads. */
const expectedRatio = 8;

/** Compresses a request on another thread. */
export function gzip(bytes: Uint8Array, level: number): Promise<Buffer> {
  return gzipAsync(bytes, {
    level,
    chunkSize: Math.max(minChunkBytes, Math.ceil(bytes.length / expectedRatio)),
  });
}
