/** What precedes each message of gRPC: whether it is compressed, and its length. */
export const prefixBytes = 5;

/** Larger rooms are not kept: they would be held for a request that seldom comes. */
const maxKeptBytes = 4 * 1024 * 1024;
/** As many requests as usually arrive at a time. */
const maxKept = 4;

/** Lends room for messages. Fresh room for each would have the whole heap collected once for a dozen requests. */
export class MessageRooms {
  readonly #free: Buffer[] = [];
  readonly #lent = new WeakMap<ArrayBufferLike, Buffer>();

  /** Room for at least these bytes. */
  take(bytes: number): Buffer {
    const index = this.#free.findIndex((room) => room.length >= bytes);
    const [known] = index < 0 ? [] : this.#free.splice(index, 1);
    // The next message is seldom of the very same length.
    const room = known ?? Buffer.allocUnsafeSlow(bytes + (bytes >> 2));
    this.#lent.set(room.buffer, room);
    return room;
  }

  /** Takes back the room that these bytes are in, if it was lent: nothing reads them any more. */
  giveBack({ buffer }: Uint8Array): void {
    const room = this.#lent.get(buffer);
    if (room === undefined) return;
    this.#lent.delete(buffer);
    if (room.length > maxKeptBytes) return;
    this.#free.unshift(room);
    if (this.#free.length > maxKept) this.#free.pop();
  }
}

/** Puts the messages of a call together from pieces that end anywhere. */
export class MessageDecoder {
  readonly #maxBytes: number;
  readonly #rooms: MessageRooms;
  readonly #prefix = Buffer.alloc(prefixBytes);
  #prefixLength = 0;
  #room: Buffer = this.#prefix;
  #length = 0;
  #expected = 0;

  constructor(maxBytes: number, rooms: MessageRooms) {
    this.#maxBytes = maxBytes;
    this.#rooms = rooms;
  }

  /**
   * @returns the messages that end in this piece, each with its prefix
   * @throws Error when one is longer than it may be
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

  #readPrefix(piece: Buffer, from: number): number {
    const copied = piece.copy(this.#prefix, this.#prefixLength, from);
    this.#prefixLength += copied;
    if (this.#prefixLength < prefixBytes) return from + copied;
    const bytes = this.#prefix.readUInt32BE(1);
    if (bytes > this.#maxBytes)
      throw new Error(`Cannot receive a message: expected at most ${this.#maxBytes} bytes, found ${bytes}`);
    this.#expected = prefixBytes + bytes;
    this.#room = this.#rooms.take(this.#expected);
    this.#length = this.#prefix.copy(this.#room);
    return from + copied;
  }

  #readMessage(piece: Buffer, from: number, messages: Buffer[]): number {
    const copied = piece.copy(this.#room, this.#length, from, from + this.#expected - this.#length);
    this.#length += copied;
    if (this.#length === this.#expected) {
      this.#prefixLength = 0;
      messages.push(this.#room.subarray(0, this.#length));
    }
    return from + copied;
  }
}
