import { status } from '@grpc/grpc-js';
import { describeError, findErrorCode } from '../../src/errors.js';
import { decompressGzip } from '../../src/http/gunzip.js';

/** What precedes each message of gRPC: whether it is compressed, and its length. */
const prefixBytes = 5;

/** The method by which a call of grpc-js decompresses; none of its documented interface. */
interface Decompressing {
  decompressMessage?(message: Buffer, encoding: string): Buffer | Promise<Buffer>;
}

/**
 * Has a call inflate gzip in one piece. grpc-js takes a stream with pieces of 16 KiB for that, which is several times the
 * work. Without that method nothing is changed.
 * @param maxBytes of a message
 */
export function inflateInOnePiece(call: object & Decompressing, maxBytes: number): void {
  const decompress = call.decompressMessage?.bind(call);
  if (decompress === undefined) return;
  call.decompressMessage = (message, encoding) =>
    encoding === 'gzip' ? inflate(message.subarray(prefixBytes), maxBytes) : decompress(message, encoding);
}

/** @throws the status of the call */
async function inflate(bytes: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    return await decompressGzip(bytes, maxBytes);
  } catch (error) {
    throw findErrorCode(error) === 'ERR_BUFFER_TOO_LARGE'
      ? {
          code: status.RESOURCE_EXHAUSTED,
          details: `Cannot take the request: expected at most ${maxBytes} bytes when decompressed, found more`,
        }
      : {
          code: status.INTERNAL,
          details: `Cannot decompress the request: ${describeError(error)}`,
        };
  }
}
