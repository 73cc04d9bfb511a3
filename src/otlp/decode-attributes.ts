import type { Attributes, AttributeValue } from '../model/series.js';
import { wireTypes } from '../protobuf.js';
import { tagOf } from './wire.js';
import { WireCursor } from './wire-cursor.js';

// KeyValue and AnyValue of opentelemetry/proto/common/v1/common.proto, as far as the model supports them.

/** Deeper lists and maps than this are rejected: a small message could otherwise exhaust the stack. */
const maxDepth = 32;

const keyTag = tagOf(1, wireTypes.lengthDelimited);
const valueTag = tagOf(2, wireTypes.lengthDelimited);
const stringTag = tagOf(1, wireTypes.lengthDelimited);
const boolTag = tagOf(2, wireTypes.varint);
const intTag = tagOf(3, wireTypes.varint);
const doubleTag = tagOf(4, wireTypes.fixed64);
const arrayTag = tagOf(5, wireTypes.lengthDelimited);
const mapTag = tagOf(6, wireTypes.lengthDelimited);
const bytesTag = tagOf(7, wireTypes.lengthDelimited);
const itemTag = tagOf(1, wireTypes.lengthDelimited);

/** The value of an AnyValue; null: none. */
export type PlainValue =
  AttributeValue | null | readonly PlainValue[] | { readonly [key: string]: PlainValue };

/** @throws RangeError when lists and maps are nested too deeply */
export function checkDepth(depth: number): void {
  if (depth <= maxDepth) return;
  throw new RangeError(
    `Cannot read an attribute: expected at most ${maxDepth} lists within lists, found more`,
  );
}

/**
 * The attributes in these bytes, repeated `KeyValue` with this field number; other fields are skipped. Lists
 * and maps become JSON, bytes become Base64, and integers that no double holds exactly become their digits;
 * pairs without a value are left out.
 * @throws RangeError when the bytes are not a message
 */
export function decodeAttributes(bytes: Uint8Array, field: number): Attributes {
  const cursor = new WireCursor();
  cursor.open(bytes);
  const tag = tagOf(field, wireTypes.lengthDelimited);
  const attributes: [string, AttributeValue][] = [];
  for (const [key, value] of readPairs(cursor, tag, 0)) {
    if (value === null) continue;
    attributes.push([key, typeof value === 'object' ? JSON.stringify(value) : value]);
  }
  return Object.fromEntries(attributes);
}

/** Reads the key-value pairs of the current message. */
function readPairs(cursor: WireCursor, pairTag: number, depth: number): [string, PlainValue][] {
  const pairs: [string, PlainValue][] = [];
  while (cursor.at < cursor.end) {
    const tag = cursor.readTag();
    if (tag === pairTag) pairs.push(within(cursor, () => readPair(cursor, depth)));
    else cursor.skip(tag);
  }
  return pairs;
}

function readPair(cursor: WireCursor, depth: number): [string, PlainValue] {
  let key = '';
  let value: PlainValue = null;
  while (cursor.at < cursor.end) {
    const tag = cursor.readTag();
    if (tag === keyTag) key = readText(cursor, 'utf8');
    else if (tag === valueTag) value = within(cursor, () => readAnyValue(cursor, depth));
    else cursor.skip(tag);
  }
  return [key, value];
}

function readAnyValue(cursor: WireCursor, depth: number): PlainValue {
  checkDepth(depth);
  let value: PlainValue = null;
  while (cursor.at < cursor.end) value = readValueField(cursor, depth, value);
  return value;
}

function readValueField(cursor: WireCursor, depth: number, known: PlainValue): PlainValue {
  const tag = cursor.readTag();
  switch (tag) {
    case stringTag:
      return readText(cursor, 'utf8');
    case boolTag:
      return cursor.readVarint() !== 0;
    case intTag:
      return readInteger(cursor);
    case doubleTag:
      return cursor.doubleAt(cursor.pass(8));
    case arrayTag:
      return within(cursor, () => readItems(cursor, depth + 1));
    case mapTag:
      return within(cursor, () => Object.fromEntries(readPairs(cursor, itemTag, depth + 1)));
    case bytesTag:
      return readText(cursor, 'base64');
    default:
      cursor.skip(tag);
      return known;
  }
}

function readItems(cursor: WireCursor, depth: number): readonly PlainValue[] {
  const items: PlainValue[] = [];
  while (cursor.at < cursor.end) {
    const tag = cursor.readTag();
    if (tag === itemTag) items.push(within(cursor, () => readAnyValue(cursor, depth)));
    else cursor.skip(tag);
  }
  return items;
}

function readInteger(cursor: WireCursor): number | string {
  const value = cursor.readInt64();
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

function readText(cursor: WireCursor, encoding: 'utf8' | 'base64'): string {
  const to = cursor.readEnd();
  const from = cursor.at;
  cursor.at = to;
  return Buffer.from(cursor.bytes.buffer, cursor.bytes.byteOffset + from, to - from).toString(encoding);
}

/** Reads a message inside the current one. */
function within<Result>(cursor: WireCursor, read: () => Result): Result {
  const { end } = cursor;
  cursor.end = cursor.readEnd();
  const result = read();
  cursor.at = cursor.end;
  cursor.end = end;
  return result;
}
