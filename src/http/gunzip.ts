import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';
import { findErrorCode } from '../errors.js';

const gunzipLater = promisify<Buffer, object, Buffer>(gunzip);

/** Inflating up to this size takes about 1 ms, less than passing it to another thread in pieces. */
const maxBytesAtOnce = 2 * 1024 * 1024;
/** Each chunk takes another round trip to the thread pool. */
const chunkSize = 256 * 1024;
/** Size of an empty member. */
const minGzipBytes = 18;

/**
 * Decompresses gzip: small bodies on this thread, others on another thread.
 * @param maxBytes of the result
 * @throws Error, or rejects, when it is not gzip, or with the code ERR_BUFFER_TOO_LARGE when it becomes larger
 */
export function decompressGzip(bytes: Buffer, maxBytes: number): Buffer | Promise<Buffer> {
  const size = readSize(bytes);
  if (size <= Math.min(maxBytesAtOnce, maxBytes)) {
    try {
      return gunzipSync(bytes, { maxOutputLength: Math.max(1, size), chunkSize: size + 64 });
    } catch (error) {
      // It has several members, or claims a wrong size.
      if (findErrorCode(error) !== 'ERR_BUFFER_TOO_LARGE') throw error;
    }
  }
  return gunzipLater(bytes, { maxOutputLength: Math.max(1, maxBytes), chunkSize });
}

/** The size that the trailer claims (RFC 1952, ISIZE). */
function readSize(bytes: Buffer): number {
  return bytes.length < minGzipBytes ? 0 : bytes.readUInt32LE(bytes.length - 4);
}
