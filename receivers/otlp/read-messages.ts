import { status, type StatusObject } from '@grpc/grpc-js';
import { describeError, findErrorCode } from '../../src/errors.js';
import { decompressGzip } from '../../src/http/gunzip.js';
import { BufferLimitError, MessageDecoder, prefixBytes, type MessageBuffers } from './message-buffers.js';

/** The parts of a grpc-js call that read messages. They are not documented. */
interface Reading {
  decoder?: Pick<MessageDecoder, 'write'>;
  decompressMessage?(message: Buffer, encoding: string): Buffer | Promise<Buffer>;
}

/** How the messages of a call are read. */
export interface ReadingOptions {
  /** Maximum size of a message. */
  readonly maxBytes: number;
  readonly buffers: MessageBuffers;
  /** Called before the call fails because of a message. */
  readonly refuse: (kind: 'malformed' | 'busy', message: string) => void;
}

/**
 * Makes a call assemble its messages in pooled buffers and decompress gzip in one step. grpc-js allocates a
 * buffer for each message, and decompresses it in a stream with pieces of 16 KiB, which takes several times as
 * long. If a version of grpc-js lacks these parts, nothing is changed.
 * @returns a function that must be called at the end of the call
 */
export function readInOnePiece(call: object & Reading, options: ReadingOptions): () => void {
  replaceDecompression(call, options);
  if (call.decoder === undefined) return () => {};
  const decoder = new MessageDecoder(options.maxBytes, options.buffers);
  call.decoder = {
    write(piece) {
      try {
        return decoder.write(piece);
      } catch (error) {
        options.refuse(error instanceof BufferLimitError ? 'busy' : 'malformed', describeError(error));
        throw error;
      }
    },
  };
  return () => decoder.release();
}

function replaceDecompression(call: Reading, { maxBytes, buffers, refuse }: ReadingOptions): void {
  const decompress = call.decompressMessage?.bind(call);
  if (decompress === undefined) return;
  call.decompressMessage = async (message, encoding) => {
    try {
      if (encoding !== 'gzip') return await decompress(message, encoding);
      const inflated = await inflate(message.subarray(prefixBytes), maxBytes);
      buffers.giveBack(message);
      return keep(inflated, buffers);
    } catch (error) {
      // Decompression fails with the status of the call.
      refuse('malformed', (error as StatusObject).details);
      throw error;
    }
  };
}

/**
 * Copies a message to a pooled buffer. grpc-js refers to the message of a call for some time after its end. V8 would
 * free buffers of their own only by full collections then, which took a third of the CPU time.
 */
function keep(message: Buffer, buffers: MessageBuffers): Buffer {
  const pooled = buffers.take(message.length);
  return pooled.subarray(0, message.copy(pooled));
}

async function inflate(bytes: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    return await decompressGzip(bytes, maxBytes);
  } catch (error) {
    throw describeFailure(error, maxBytes);
  }
}

function describeFailure(error: unknown, maxBytes: number): Pick<StatusObject, 'code' | 'details'> {
  if (findErrorCode(error) !== 'ERR_BUFFER_TOO_LARGE')
    return { code: status.INTERNAL, details: `Cannot decompress the request: ${describeError(error)}` };
  const expected = `at most ${maxBytes} bytes when decompressed`;
  return {
    code: status.RESOURCE_EXHAUSTED,
    details: `Cannot take the request: expected ${expected}, found more`,
  };
}
