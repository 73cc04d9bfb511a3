import { wireTypes } from '../protobuf.js';

const half = 2 ** 32;

/**
 * Walks over the fields of protobuf messages without allocating anything. A nested message is walked with the
 * same cursor: the caller sets `end` to the end of that message, and back afterwards.
 */
export class WireCursor {
  bytes: Uint8Array = new Uint8Array(0);
  view = new DataView(this.bytes.buffer);
  /** Offset of the next byte. */
  at = 0;
  /** End of the current message. */
  end = 0;

  /** Starts a message that consists of all these bytes. */
  open(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = 0;
    this.end = bytes.length;
  }

  /** Reads a number and type of a field as one number, type in the lowest three bits. */
  readTag(): number {
    const byte = this.bytes[this.at];
    if (byte >= 0x80 || this.at >= this.end) return this.readVarint();
    this.at += 1;
    return byte;
  }

  /**
   * Reads the length of a message or string.
   * @returns its end, which is within the current message
   */
  readEnd(): number {
    const length = this.readTag();
    const end = this.at + length;
    if (end > this.end) throw shorterThan(end, this.end);
    return end;
  }

  /** Reads an unsigned integer; one beyond 2^53 is rounded. */
  readVarint(): number {
    let value = 0;
    let factor = 1;
    const last = Math.min(this.end, this.at + 10);
    while (this.at < last) {
      const byte = this.bytes[this.at];
      this.at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
    throw new RangeError(
      `Cannot read a message: expected a number of 1 to 10 bytes before byte ${this.at}, found no end of it`,
    );
  }

  /** Reads a signed 64-bit integer, exactly. */
  readInt64(): bigint {
    const from = this.at;
    this.readVarint();
    let value = 0n;
    for (let i = this.at - 1; i >= from; i -= 1) value = (value << 7n) | BigInt(this.bytes[i] & 0x7f);
    return BigInt.asIntN(64, value);
  }

  /**
   * Skips bytes of fixed length.
   * @returns where they start
   */
  pass(length: number): number {
    const { at } = this;
    this.at = at + length;
    if (this.at > this.end) throw shorterThan(this.at, this.end);
    return at;
  }

  /** Skips the value of a field. */
  skip(tag: number): void {
    if (tag < 8)
      throw new RangeError(
        `Cannot read a message: expected a field number above 0 before byte ${this.at}, found 0`,
      );
    switch (tag & 7) {
      case wireTypes.varint:
        this.readVarint();
        return;
      case wireTypes.fixed64:
        this.pass(8);
        return;
      case wireTypes.lengthDelimited:
        this.at = this.readEnd();
        return;
      case wireTypes.fixed32:
        this.pass(4);
        return;
      default:
        throw new RangeError(
          `Cannot read a message: expected wire type 0, 1, 2 or 5 before byte ${this.at}, found ${tag & 7}`,
        );
    }
  }

  /** A double at an offset that was skipped. */
  doubleAt(at: number): number {
    return this.view.getFloat64(at, true);
  }

  /** The high half of an unsigned 64-bit integer. */
  highAt(at: number): number {
    return this.view.getUint32(at + 4, true);
  }

  /** The low half of 64 bits. */
  lowAt(at: number): number {
    return this.view.getUint32(at, true);
  }

  /** A signed 64-bit integer, as the nearest double: exact up to 2^53. */
  integerAt(at: number): number {
    return this.view.getInt32(at + 4, true) * half + this.view.getUint32(at, true);
  }

  textAt(from: number, to: number): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + from, to - from).toString('utf8');
  }
}

function shorterThan(end: number, found: number): RangeError {
  return new RangeError(`Cannot read a message: expected at least ${end} bytes, found ${found}`);
}
