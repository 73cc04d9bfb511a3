import { status } from '@grpc/grpc-js';
import { describeError, findErrorCode } from '../../src/errors.js';
import { decompressGzip } from '../../src/http/gunzip.js';
import { MessageDecoder, prefixBytes, type MessageRooms } from './message-rooms.js';

/** The parts by which a call of grpc-js reads messages; none of its documented interface. */
interface Reading {
  decoder?: Pick<MessageDecoder, 'write'>;
  decompressMessage?(message: Buffer, encoding: string): Buffer | Promise<Buffer>;
}

/**
 * Has a call put its messages together in lent room, and inflate gzip in one piece. grpc-js joins pieces in room of its own
 * each time, and inflates by a stream with pieces of 16 KiB, which is several times the work. Without these parts nothing
 * is changed.
 * @param maxBytes of a message
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
