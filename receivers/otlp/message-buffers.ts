/** Size of the prefix of each gRPC message: the compression flag and the length. */
export const prefixBytes = 5;

/** Larger buffers are not kept, because requests of that size are rare. */
const maxKeptBytes = 4 * 1024 * 1024;
/** Factor by which the buffer of a message grows. */
const growth = 4;
/** Typical number of requests that arrive at the same time. */
const maxKept = 4;

/** There is no room for a message at present. */
export class BufferLimitError extends Error {
  override readonly name = 'BufferLimitError';
}

/**
 * A pool of buffers for messages, and a limit for the messages of all calls together. Allocating a new buffer
 * for each message would cause a full garbage collection every dozen requests.
 */
export class MessageBuffers {
  readonly #maxBytes: number;
  /** Total size of what the current calls have received. */
  #bytes = 0;
  readonly #free: Buffer[] = [];
  readonly #lent = new WeakMap<ArrayBufferLike, Buffer>();

  /** @param maxBytes that all current calls may have received */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Counts received bytes.
   * @throws BufferLimitError if there are too many
   */
  admit(bytes: number): void {
    if (this.#bytes + bytes > this.#maxBytes)
      throw new BufferLimitError(
        `Cannot accept the request now: expected at most ${this.#maxBytes} bytes of requests at a time, found more`,
      );
    this.#bytes += bytes;
  }

  /** Bytes are no longer counted, because their call has ended. */
  release(bytes: number): void {
    this.#bytes -= bytes;
  }

  /**
   * Returns a buffer for a message of this size. If a new one is necessary, it only has room for what has
   * arrived and some more: a client may claim any size and send nothing.
   */
  take(bytes: number, arrivedBytes = bytes): Buffer {
    const index = this.#free.findIndex((free) => free.length >= bytes);
    const [known] = index < 0 ? [] : this.#free.splice(index, 1);
    // Rounded up, because the next message rarely has exactly the same length.
    const taken = known ?? Buffer.allocUnsafeSlow(Math.min(bytes + (bytes >> 2), growth * arrivedBytes));
    this.#lent.set(taken.buffer, taken);
    return taken;
  }

  /** Returns a buffer to the pool if it came from there. Its content must no longer be in use. */
  giveBack({ buffer }: Uint8Array): void {
    const returned = this.#lent.get(buffer);
    if (returned === undefined) return;
    this.#lent.delete(buffer);
    if (returned.length > maxKeptBytes) return;
    this.#free.unshift(returned);
    if (this.#free.length > maxKept) this.#free.pop();
  }
}

/** Joins the messages of a call, which can be split at any byte. */
export class MessageDecoder {
  readonly #maxBytes: number;
  readonly #buffers: MessageBuffers;
  readonly #prefix = Buffer.alloc(prefixBytes);
  #prefixLength = 0;
  #buffer: Buffer = this.#prefix;
  #length = 0;
  #expected = 0;
  /** Total size of the pieces of all messages. */
  #received = 0;

  constructor(maxBytes: number, buffers: MessageBuffers) {
    this.#maxBytes = maxBytes;
    this.#buffers = buffers;
  }

  /**
   * @returns the messages that end in this piece, each with its prefix
   * @throws Error if a message is too long
   * @throws BufferLimitError if all calls together have received too much
   */
  write(piece: Buffer): Buffer[] {
    const messages: Buffer[] = [];
    let at = 0;
    while (at < piece.length) {
      if (this.#prefixLength < prefixBytes) at = this.#readPrefix(piece, at);
      if (this.#prefixLength === prefixBytes) at = this.#readMessage(piece, at, messages);
    }
    return messages;
  }

  /** Must be called at the end of the call. */
  release(): void {
    this.#buffers.release(this.#received);
    this.#received = 0;
  }

  #readPrefix(piece: Buffer, from: number): number {
    const copied = piece.copy(this.#prefix, this.#prefixLength, from);
    this.#prefixLength += copied;
    if (this.#prefixLength < prefixBytes) return from + copied;
    const bytes = this.#prefix.readUInt32BE(1);
    if (bytes > this.#maxBytes)
      throw new Error(`Cannot receive a message: expected at most ${this.#maxBytes} bytes, found ${bytes}`);
    this.#expected = prefixBytes + bytes;
    this.#buffer = this.#prefix;
    this.#length = prefixBytes;
    return from + copied;
  }

  #readMessage(piece: Buffer, from: number, messages: Buffer[]): number {
    const to = Math.min(piece.length, from + this.#expected - this.#length);
    this.#buffers.admit(to - from);
    this.#received += to - from;
    this.#reserve(this.#length + to - from);
    this.#length += piece.copy(this.#buffer, this.#length, from, to);
    if (this.#length === this.#expected) {
      this.#prefixLength = 0;
      messages.push(this.#buffer.subarray(0, this.#length));
    }
    return to;
  }

  #reserve(bytes: number): void {
    if (this.#buffer !== this.#prefix && bytes <= this.#buffer.length) return;
    const wider = this.#buffers.take(this.#expected, bytes);
    this.#buffer.copy(wider, 0, 0, this.#length);
    this.#buffer = wider;
  }
}
