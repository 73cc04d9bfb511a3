// The protobuf wire format (https://protobuf.dev/programming-guides/encoding), as far as metrics need it.

import { wireTypes } from '../protobuf.js';

/** The flag of a data point that has no reading (DataPointFlags of metrics.proto). */
export const noRecordedValue = 1;

/** The byte that begins a field; enough for field numbers up to 15, which is all that metrics have. */
export function tagOf(field: number, wireType: number): number {
  return (field << 3) | wireType;
}

/** How many bytes the varint of a whole number below 2^53 takes. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1;
  return length;
}

/** A signed whole number as sint32 has it. */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

/** How many bytes a message of this length takes together with its tag and its length. */
export function messageLength(length: number): number {
  return 1 + varintLength(length) + length;
}

/**
 * Writes a whole number below 2^53 as a varint.
 * @returns where the next byte goes
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
 * Writes a tag and a length, the beginning of a message inside a message.
 * @returns where the message's first byte goes
 */
export function writeMessageStart(target: Uint8Array, at: number, tag: number, length: number): number {
  target[at] = tag;
  return writeVarint(target, at + 1, length);
}

/** Maximum bytes of a tag and a number. */
const maxNumberBytes = 11;

/** Writes a protobuf message field by field: what is encoded once per series, metric or resource. */
export class MessageWriter {
  #bytes = Buffer.allocUnsafeSlow(16 * 1024);
  #at = 0;

  /** Bytes so far. */
  get length(): number {
    return this.#at;
  }

  /** A text, also when it is empty. */
  text(field: number, text: string): this {
    const length = Buffer.byteLength(text);
    this.#reserve(length + maxNumberBytes);
    this.#at = writeMessageStart(this.#bytes, this.#at, tagOf(field, wireTypes.lengthDelimited), length);
    this.#at += this.#bytes.write(text, this.#at);
    return this;
  }

  /** A text or a message that is encoded already. */
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

  /** A whole number or a truth value; a negative number takes the ten bytes of its two's complement. */
  integer(field: number, value: number): this {
    this.#reserve(maxNumberBytes);
    this.#bytes[this.#at] = tagOf(field, wireTypes.varint);
    this.#at += 1;
    if (value >= 0) this.#at = writeVarint(this.#bytes, this.#at, value);
    else this.#writeNegative(value);
    return this;
  }

  /** A whole number from 0 on without a tag: an element of a packed list, or a tag itself. */
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
   * Begins a message inside this one.
   * @returns what `end` wants to know
   */
  begin(field: number): number {
    this.#reserve(maxNumberBytes);
    this.#bytes[this.#at] = tagOf(field, wireTypes.lengthDelimited);
    this.#at += 2;
    return this.#at;
  }

  /** Ends a message: what was written since its beginning moves on where the length takes several bytes. */
  end(begin: number): this {
    const length = this.#at - begin;
    const shift = varintLength(length) - 1;
    this.#reserve(shift);
    this.#bytes.copyWithin(begin + shift, begin, this.#at);
    writeVarint(this.#bytes, begin - 1, length);
    this.#at += shift;
    return this;
  }

  /** What was written, as a copy; the writer starts again. */
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
