// Reads messages of protobuf (https://protobuf.dev/programming-guides/encoding).

import { elementAt } from './element.js';

/** A field's type on the wire, the lowest three bits of its tag. */
export const wireTypes = { varint: 0, fixed64: 1, lengthDelimited: 2, fixed32: 5 } as const;

const decoder = new TextDecoder();

/** The value of the last field with this number, if it has the type that is asked for. */
export function findMessage(bytes: Uint8Array, number: number): Uint8Array | undefined {
  const value = readFields(bytes).findLast((field) => field.number === number)?.value;
  return typeof value === 'number' ? undefined : value;
}

/** The number in the last field with this number, 0 where there is none. */
export function findNumber(bytes: Uint8Array, number: number): number {
  const value = readFields(bytes).findLast((field) => field.number === number)?.value;
  return typeof value === 'number' ? value : 0;
}

/** The text in the last field with this number, empty where there is none. */
export function findText(bytes: Uint8Array, number: number): string {
  return decoder.decode(findMessage(bytes, number));
}

/** A field of a message: a number, or the bytes of a text or message. Fields of fixed length are left out. */
export interface Field {
  readonly number: number;
  readonly value: number | Uint8Array;
}

/**
 * Takes a message apart into its fields. Whole numbers beyond 2^53 are rounded.
 * @throws RangeError when the bytes are not a message
 */
export function readFields(bytes: Uint8Array): readonly Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = readVarint(bytes, at);
    const field = readField(bytes, tag.end, tag.value % 8);
    if (field.value !== undefined) fields.push({ number: Math.floor(tag.value / 8), value: field.value });
    at = field.end;
  }
  return fields;
}

function readField(
  bytes: Uint8Array,
  at: number,
  wireType: number,
): { value?: number | Uint8Array; end: number } {
  switch (wireType) {
    case wireTypes.varint:
      return readVarint(bytes, at);
    case wireTypes.lengthDelimited: {
      const { value: length, end } = readVarint(bytes, at);
      return { value: bytes.subarray(end, end + length), end: checkEnd(bytes, end + length) };
    }
    case wireTypes.fixed64:
      return { end: checkEnd(bytes, at + 8) };
    case wireTypes.fixed32:
      return { end: checkEnd(bytes, at + 4) };
    default:
      throw new RangeError(
        `Cannot read a message: expected wire type 0, 1, 2 or 5 before byte ${at}, found ${wireType}`,
      );
  }
}

function readVarint(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  for (let i = at; i < Math.min(bytes.length, at + 10); i += 1) {
    const byte = elementAt(bytes, i);
    value += (byte & 0x7f) * 2 ** (7 * (i - at));
    if (byte < 0x80) return { value, end: i + 1 };
  }
  throw new RangeError(
    `Cannot read a message: expected a number of 1 to 10 bytes at byte ${at}, found no end of it`,
  );
}

function checkEnd(bytes: Uint8Array, end: number): number {
  if (end > bytes.length) {
    throw new RangeError(`Cannot read a message: expected at least ${end} bytes, found ${bytes.length}`);
  }
  return end;
}
