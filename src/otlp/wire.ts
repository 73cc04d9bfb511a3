// The protobuf wire format (https://protobuf.dev/programming-guides/encoding), as far as metrics need it.

import { wireTypes } from '../protobuf.js';

/** The flag of a data point without a recorded value (DataPointFlags of metrics.proto). */
export const noRecordedValue = 1;

/** The tag byte of a field; enough for field numbers up to 15, which is all that metrics have. */
export function tagOf(field: number, wireType: number): number {
  return (field << 3) | wireType;
}

/** The length of the varint of a non-negative integer below 2^53, in bytes. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1;
  return length;
}

/** A signed integer in the encoding of sint32. */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

/** The length of a message of this length including its tag and length, in bytes. */
export function messageLength(length: number): number {
  return 1 + varintLength(length) + length;
}

/**
 * Writes a non-negative integer below 2^53 as a varint.
 * @returns the offset of the next byte
 */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  let rest = value;
  let next = at;
  while (rest >= 0x80) {
    target[next] = (rest % 0x80) | 0x80;
    next += 1;
    rest = Math.floor(rest / 0x80);
  }
  target[next] = rest;
  return next + 1;
}

/**
 * Writes a tag and a length, the start of a nested message.
 * @returns the offset of the message's first byte
 */
export function writeMessageStart(target: Uint8Array, at: number, tag: number, length: number): number {
  target[at] = tag;
  return writeVarint(target, at + 1, length);
}

/** Maximum bytes of a tag and a number. */
const maxNumberBytes = 11;

/** Writes a protobuf message field by field, for the parts that are encoded once per series, metric or resource. */
export class MessageWriter {
  #bytes = Buffer.allocUnsafeSlow(16 * 1024);
  #at = 0;

  /** Bytes so far. */
  get length(): number {
    return this.#at;
  }

  /** A string, even if it is empty. */
  text(field: number, text: string): this {
    const length = Buffer.byteLength(text);
    this.#reserve(length + maxNumberBytes);
    this.#at = writeMessageStart(this.#bytes, this.#at, tagOf(field, wireTypes.lengthDelimited), length);
    this.#at += this.#bytes.write(text, this.#at);
    return this;
  }

  /** A string or message that is already encoded. */
  bytes(field: number, bytes: Uint8Array): this {
    this.#reserve(bytes.length + maxNumberBytes);
    this.#at = writeMessageStart(
      this.#bytes,
      this.#at,
      tagOf(field, wireTypes.lengthDelimited),
      bytes.length,
    );
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  /** An integer or a boolean; a negative number takes the ten bytes of its two's complement. */
  integer(field: number, value: number): this {
    this.#reserve(maxNumberBytes);
    this.#bytes[this.#at] = tagOf(field, wireTypes.varint);
    this.#at += 1;
    if (value >= 0) this.#at = writeVarint(this.#bytes, this.#at, value);
    else this.#writeNegative(value);
    return this;
  }

  /** A non-negative integer without a tag: an element of a packed list, or a tag. */
  varint(value: number): this {
    this.#reserve(maxNumberBytes);
    this.#at = writeVarint(this.#bytes, this.#at, value);
    return this;
  }

  double(field: number, value: number): this {
    this.#reserve(maxNumberBytes);
    this.#bytes[this.#at] = tagOf(field, wireTypes.fixed64);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at + 1);
    return this;
  }

  fixed64(field: number, value: bigint): this {
    this.#reserve(maxNumberBytes);
    this.#bytes[this.#at] = tagOf(field, wireTypes.fixed64);
    this.#at = this.#bytes.writeBigUInt64LE(BigInt.asUintN(64, value), this.#at + 1);
    return this;
  }

  /**
   * Starts a nested message.
   * @returns the argument for `end`
   */
  begin(field: number): number {
    this.#reserve(maxNumberBytes);
    this.#bytes[this.#at] = tagOf(field, wireTypes.lengthDelimited);
    this.#at += 2;
    return this.#at;
  }

  /** Ends a message: its content is moved if the length takes several bytes. */
  end(begin: number): this {
    const length = this.#at - begin;
    const shift = varintLength(length) - 1;
    this.#reserve(shift);
    this.#bytes.copyWithin(begin + shift, begin, this.#at);
    writeVarint(this.#bytes, begin - 1, length);
    this.#at += shift;
    return this;
  }

  /** A copy of what was written; the writer starts again. */
  finish(): Buffer {
    const bytes = Buffer.from(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
    return bytes;
  }

  #writeNegative(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest >= 0x80n; rest >>= 7n) {
      this.#bytes[this.#at] = Number(rest & 0x7fn) | 0x80;
      this.#at += 1;
    }
    this.#bytes[this.#at] = Number(rest);
    this.#at += 1;
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const bytes = Buffer.allocUnsafeSlow(2 * (this.#at + count));
    bytes.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = bytes;
  }
}
