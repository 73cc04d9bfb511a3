import { status } from '@grpc/grpc-js';
import { describeError, findErrorCode } from '../../src/errors.js';
import { decompressGzip } from '../../src/http/gunzip.js';
import { MessageDecoder, prefixBytes, type MessageRooms } from './message-rooms.js';

/** The parts of a grpc-js call that read messages. They are not documented. */
interface Reading {
  decoder?: Pick<MessageDecoder, 'write'>;
  decompressMessage?(message: Buffer, encoding: string): Buffer | Promise<Buffer>;
}

/**
 * Makes a call assemble its messages in pooled buffers and decompress gzip in one step. grpc-js allocates a
 * buffer for each message, and decompresses it in a stream with pieces of 16 KiB, which takes several times as
 * long. If a version of grpc-js lacks these parts, nothing is changed.
 * @param maxBytes maximum size of a message
 */
export function readInOnePiece(call: object & Reading, maxBytes: number, rooms: MessageRooms): void {
  if (call.decoder !== undefined) call.decoder = new MessageDecoder(maxBytes, rooms);
  const decompress = call.decompressMessage?.bind(call);
  if (decompress === undefined) return;
  call.decompressMessage = async (message, encoding) => {
    if (encoding !== 'gzip') return decompress(message, encoding);
    const inflated = await inflate(message.subarray(prefixBytes), maxBytes);
    rooms.giveBack(message);
    return inflated;
  };
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
