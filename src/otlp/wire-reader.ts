import { wireTypes } from './wire.js';

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
      throw new RangeError(`Cannot read a message: found wire type ${wireType} at byte ${at}`);
  }
}

function readVarint(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  for (let i = at; i < Math.min(bytes.length, at + 10); i += 1) {
    value += (bytes[i] & 0x7f) * 2 ** (7 * (i - at));
    if (bytes[i] < 0x80) return { value, end: i + 1 };
  }
  throw new RangeError(`Cannot read a message: the number at byte ${at} does not end`);
}

function checkEnd(bytes: Uint8Array, end: number): number {
  if (end > bytes.length) throw new RangeError(`Cannot read a message: it ends before byte ${end}`);
  return end;
}
