import { elementAt } from '../element.js';
import type { Divide } from '../export/divisible-request.js';
import { wireTypes } from '../protobuf.js';
import { varintLength, writeVarint } from './wire.js';

/** The field numbers on the path from a message to its points, level by level. */
export type Path = readonly (readonly number[])[];

/**
 * The path of fields from an ExportMetricsServiceRequest to its points: resource_metrics, scope_metrics,
 * metrics, gauge, sum or histogram, data_points (opentelemetry/proto/metrics/v1/metrics.proto).
 */
const pathToPoints: Path = [[1], [2], [2], [5, 7, 9, 10], [1]];

/** Halves the points of an ExportMetricsServiceRequest. */
export const splitRequest = divideMessage(pathToPoints);

/**
 * Divides the points of an encoded message into two halves, each with the fields that contain them, in order.
 * Fields are not copied one by one: a request of thousands of resources is divided within a few milliseconds.
 * The returned function gives undefined for fewer than two points, and throws a RangeError when the bytes are
 * not such a message.
 */
export function divideMessage(path: Path): Divide {
  return ({ bytes, points }) => {
    const middle = points >> 1;
    if (middle === 0) return undefined;
    const whole = { from: 0, to: bytes.length };
    const [first, second] = splitRange({ bytes, path }, whole, { level: 0, middle });
    return [
      { bytes: Buffer.concat(first.end()), points: middle },
      { bytes: Buffer.concat(second.end()), points: points - middle },
    ];
  };
}

/** A message, and the path to its points. */
interface Message {
  readonly bytes: Uint8Array;
  readonly path: Path;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Counts the points of the message in a range. */
function countPoints(message: Message, { from, to }: Range, level: number): number {
  const { bytes, path } = message;
  if (level === path.length) return 1;
  let points = 0;
  const cursor = new Cursor(bytes, from, to);
  while (cursor.next()) {
    if (path[level]?.includes(cursor.field)) points += countPoints(message, cursor.content(), level + 1);
  }
  return points;
}

/** @param place the message's index in the path, and how many of its points belong to the first half */
function splitRange(
  message: Message,
  range: Range,
  { level, middle }: { readonly level: number; readonly middle: number },
): readonly [Half, Half] {
  const { bytes, path } = message;
  const [first, second] = [new Half(bytes), new Half(bytes)];
  let left = middle;
  const cursor = new Cursor(bytes, range.from, range.to);
  while (cursor.next()) {
    const isOnPath = path[level]?.includes(cursor.field) ?? false;
    // After the middle, points need not be counted.
    const points = isOnPath && left > 0 ? countPoints(message, cursor.content(), level + 1) : 0;
    if (points > left) {
      const tag = { from: cursor.start, to: cursor.tagEnd };
      const parts = splitRange(message, cursor.content(), { level: level + 1, middle: left });
      first.addMessage(tag, parts[0]);
      second.addMessage(tag, parts[1]);
    } else {
      if (!isOnPath || left > 0) first.add(cursor.whole());
      if (!isOnPath || left === 0) second.add(cursor.whole());
    }
    left = Math.max(0, left - points);
  }
  return [first, second];
}

/** A message that is composed of ranges of another one and of new lengths. */
class Half {
  readonly #bytes: Uint8Array;
  readonly #pieces: Uint8Array[] = [];
  /** The last range, which may still be extended. */
  #range: Range = { from: 0, to: 0 };
  #length = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  add({ from, to }: Range): void {
    this.#length += to - from;
    if (from === this.#range.to) {
      this.#range = { from: this.#range.from, to };
    } else {
      this.#endRange();
      this.#range = { from, to };
    }
  }

  /** @param tag range of the field's tag */
  addMessage(tag: Range, content: Half): void {
    this.add(tag);
    this.#endRange();
    const length = Buffer.alloc(varintLength(content.#length));
    writeVarint(length, 0, content.#length);
    this.#pieces.push(length, ...content.end());
    this.#length += length.length + content.#length;
  }

  end(): readonly Uint8Array[] {
    this.#endRange();
    return this.#pieces;
  }

  #endRange(): void {
    const { from, to } = this.#range;
    if (to > from) this.#pieces.push(this.#bytes.subarray(from, to));
    this.#range = { from: 0, to: 0 };
  }
}

/** Walks over the fields of a message without decoding them. */
class Cursor {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #contentAt = 0;
  #at: number;
  /** Start of the field. */
  start = 0;
  /** The number of the field. */
  field = 0;
  /** End of the tag. */
  tagEnd = 0;

  constructor(bytes: Uint8Array, from: number, to: number) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
  }

  /** Moves to the next field. @returns false: there is none */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    this.start = this.#at;
    const tag = this.#readVarint();
    this.field = Math.floor(tag / 8);
    this.tagEnd = this.#at;
    this.#skip(tag % 8);
    if (this.#at > this.#end) {
      throw new RangeError(`Cannot split a request: expected at least ${this.#at} bytes, found ${this.#end}`);
    }
    return true;
  }

  whole(): Range {
    return { from: this.start, to: this.#at };
  }

  content(): Range {
    return { from: this.#contentAt, to: this.#at };
  }

  #skip(wireType: number): void {
    if (wireType === wireTypes.lengthDelimited) {
      const length = this.#readVarint();
      this.#contentAt = this.#at;
      this.#at += length;
    } else if (wireType === wireTypes.varint) this.#readVarint();
    else if (wireType === wireTypes.fixed64) this.#at += 8;
    else if (wireType === wireTypes.fixed32) this.#at += 4;
    else {
      throw new RangeError(
        `Cannot split a request: expected wire type 0, 1, 2 or 5 before byte ${this.#at}, found ${wireType}`,
      );
    }
  }

  #readVarint(): number {
    let value = 0;
    let factor = 1;
    for (; this.#at < this.#end; factor *= 128) {
      const byte = elementAt(this.#bytes, this.#at);
      this.#at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new RangeError(
      `Cannot split a request: expected a number that ends before byte ${this.#end}, found none`,
    );
  }
}
