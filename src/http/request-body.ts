import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { inflate, type InputType, type ZlibOptions } from 'node:zlib';
import { describeError, findErrorCode } from '../errors.js';
import { decompressZstdLater } from '../zstd.js';
import { decompressGzip } from './gunzip.js';

/** The body of a request, or an error: the status of the answer, and the reason. */
export type Body =
  { readonly bytes: Buffer } | { readonly status: 400 | 413 | 415 | 503; readonly problem: string };

type Decompress = (bytes: Buffer, options: { readonly maxOutputLength: number }) => Buffer | Promise<Buffer>;

const gunzip: Decompress = (bytes, { maxOutputLength }) => decompressGzip(bytes, maxOutputLength);

const encodings: ReadonlyMap<string, Decompress> = new Map<string, Decompress>([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['deflate', promisify<InputType, ZlibOptions, Buffer>(inflate)],
  ...(decompressZstdLater ? [['zstd', decompressZstdLater] as const] : []),
]);

/** Reads request bodies within a total memory limit. */
export class BodyReader {
  readonly #maxBytes: number;
  readonly #maxTotalBytes: number;
  #totalBytes = 0;

  /**
   * @param maxBytes of one body, before and after decompression
   * @param maxTotalBytes of all bodies that are being received
   */
  constructor(maxBytes: number, maxTotalBytes: number) {
    this.#maxBytes = maxBytes;
    this.#maxTotalBytes = maxTotalBytes;
  }

  /** Reads a body and decompresses it. Never rejects. */
  async read(request: IncomingMessage): Promise<Body> {
    const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
    const decompress = encodings.get(encoding);
    if (decompress === undefined && encoding !== 'identity' && encoding !== '') {
      const known = [...encodings.keys()].filter((name) => name !== 'x-gzip');
      return {
        status: 415,
        problem: `Cannot decompress the request: expected ${known.join(', ')} or identity, found "${encoding}"`,
      };
    }
    const received = await this.#receive(request);
    if (!('bytes' in received) || decompress === undefined) return received;
    try {
      return { bytes: await decompress(received.bytes, { maxOutputLength: Math.max(1, this.#maxBytes) }) };
    } catch (error) {
      if (findErrorCode(error) === 'ERR_BUFFER_TOO_LARGE') return this.#tooLarge();
      return { status: 400, problem: `Cannot decompress the request: ${describeError(error)}` };
    }
  }

  async #receive(request: IncomingMessage): Promise<Body> {
    if (Number(request.headers['content-length'] ?? 0) > this.#maxBytes) return this.#tooLarge();
    const chunks: Buffer[] = [];
    let length = 0;
    try {
      // Without an encoding, chunks are buffers.
      for await (const chunk of request as AsyncIterable<Buffer>) {
        length += chunk.length;
        this.#totalBytes += chunk.length;
        if (length > this.#maxBytes) return this.#tooLarge();
        if (this.#totalBytes > this.#maxTotalBytes) return this.#noRoom();
        chunks.push(chunk);
      }
    } catch (error) {
      return { status: 400, problem: `Cannot read the request: ${describeError(error)}` };
    } finally {
      this.#totalBytes -= length;
    }
    const [only] = chunks;
    return { bytes: chunks.length === 1 && only ? only : Buffer.concat(chunks, length) };
  }

  #tooLarge(): Body {
    return {
      status: 413,
      problem: `Cannot accept the request: expected at most ${this.#maxBytes} bytes, found more`,
    };
  }

  #noRoom(): Body {
    return {
      status: 503,
      problem: `Cannot accept the request now: expected at most ${this.#maxTotalBytes} bytes of requests at a time, found more`,
    };
  }
}
