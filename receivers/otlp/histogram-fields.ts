import { bucketless, HistogramRow } from '../../src/model/histogram-table.js';
import { noRecordedValue, tagOf } from '../../src/otlp/wire.js';
import type { WireCursor } from '../../src/otlp/wire-cursor.js';
import { wireTypes } from '../../src/protobuf.js';
import { Numbers } from './numbers.js';
import type { PointHead } from './point-head.js';

// HistogramDataPoint and ExponentialHistogramDataPoint of opentelemetry/proto/metrics/v1/metrics.proto.

const { fixed64, lengthDelimited, varint } = wireTypes;
const startTag = tagOf(2, fixed64);
const timeTag = tagOf(3, fixed64);
const countTag = tagOf(4, fixed64);
const sumTag = tagOf(5, fixed64);
const flagsTag = tagOf(10, varint);

// Senders may encode numbers packed or unpacked.
const bucketCountsTag = tagOf(6, lengthDelimited);
const bucketCountTag = tagOf(6, fixed64);
const boundsTag = tagOf(7, lengthDelimited);
const boundTag = tagOf(7, fixed64);
const explicitAttributeTag = tagOf(9, lengthDelimited);
const explicitMinTag = tagOf(11, fixed64);
const explicitMaxTag = tagOf(12, fixed64);

const exponentialAttributeTag = tagOf(1, lengthDelimited);
const scaleTag = tagOf(6, varint);
const zeroCountTag = tagOf(7, fixed64);
const positiveTag = tagOf(8, lengthDelimited);
const negativeTag = tagOf(9, lengthDelimited);
const exponentialMinTag = tagOf(12, fixed64);
const exponentialMaxTag = tagOf(13, fixed64);
const zeroThresholdTag = tagOf(14, fixed64);
const sideOffsetTag = tagOf(1, varint);
const sideCountsTag = tagOf(2, lengthDelimited);
const sideCountTag = tagOf(2, varint);

/** More buckets are a mistake, or an attempt to exhaust memory: of these, only the first ones are stored. */
export const maxBuckets = 10_000;

const half = 2 ** 32;

/** Fields of a histogram point other than timestamps and attributes. One object is reused for all points. */
export class HistogramFields {
  /** Count, sum, minimum and maximum. */
  readonly row = new HistogramRow();
  /** Counts of all buckets; those of exponential histograms in the order of a table: zero, positive, negative. */
  readonly counts = new Numbers();
  readonly bounds = new Numbers();
  readonly #negative = new Numbers();
  /** Whether the point has no recorded value. */
  isGap = false;
  scale = 0;
  zeroThreshold = 0;
  positiveOffset = 0;
  positiveCount = 0;
  negativeOffset = 0;
  #zero = 0;

  get negativeCount(): number {
    return this.#negative.length;
  }

  /** Reads the current point to its end. */
  read(cursor: WireCursor, head: PointHead, isExplicit: boolean): void {
    this.#clear(isExplicit);
    const { end } = cursor;
    while (cursor.at < end) {
      const fieldAt = cursor.at;
      const tag = cursor.readTag();
      switch (tag) {
        case startTag:
          head.readStart(cursor);
          break;
        case timeTag:
          head.readTime(cursor);
          break;
        case countTag:
          this.row.count = readWhole(cursor);
          break;
        case sumTag:
          this.row.sum = readDouble(cursor);
          break;
        case flagsTag:
          this.isGap = (cursor.readVarint() & noRecordedValue) !== 0;
          break;
        case isExplicit ? explicitAttributeTag : exponentialAttributeTag:
          head.readAttribute(cursor, fieldAt);
          break;
        default:
          if (isExplicit) this.#readExplicit(cursor, tag);
          else this.#readExponential(cursor, tag);
      }
    }
    if (!isExplicit) this.#joinSides();
  }

  #clear(isExplicit: boolean): void {
    this.row.clear(bucketless);
    this.row.count = 0;
    this.counts.length = isExplicit ? 0 : 1;
    this.#negative.length = this.bounds.length = 0;
    this.isGap = false;
    this.scale = this.#zero = this.zeroThreshold = 0;
    this.positiveOffset = this.negativeOffset = 0;
  }

  #readExplicit(cursor: WireCursor, tag: number): void {
    switch (tag) {
      case bucketCountsTag:
        readPacked(cursor, this.counts, readWhole);
        break;
      case bucketCountTag:
        add(this.counts, readWhole(cursor));
        break;
      case boundsTag:
        readPacked(cursor, this.bounds, readDouble);
        break;
      case boundTag:
        add(this.bounds, readDouble(cursor));
        break;
      case explicitMinTag:
        this.row.min = readDouble(cursor);
        break;
      case explicitMaxTag:
        this.row.max = readDouble(cursor);
        break;
      default:
        cursor.skip(tag);
    }
  }

  #readExponential(cursor: WireCursor, tag: number): void {
    switch (tag) {
      case scaleTag:
        this.scale = readSigned(cursor);
        break;
      case zeroCountTag:
        this.#zero = readWhole(cursor);
        break;
      case positiveTag:
        this.positiveOffset = readSide(cursor, this.counts);
        break;
      case negativeTag:
        this.negativeOffset = readSide(cursor, this.#negative);
        break;
      case exponentialMinTag:
        this.row.min = readDouble(cursor);
        break;
      case exponentialMaxTag:
        this.row.max = readDouble(cursor);
        break;
      case zeroThresholdTag:
        this.zeroThreshold = readDouble(cursor);
        break;
      default:
        cursor.skip(tag);
    }
  }

  /** Joins the counts of exponential buckets; the zero bucket comes first. */
  #joinSides(): void {
    this.counts.values[0] = this.#zero;
    this.positiveCount = this.counts.length - 1;
    for (let i = 0; i < this.#negative.length; i += 1) this.counts.push(this.#negative.values[i]);
  }
}

/** Adds a number, unless there are more than the maximum already. */
function add(into: Numbers, value: number): void {
  if (into.length <= maxBuckets) into.push(value);
}

/** Reads an unsigned 64-bit integer, rounded to the nearest double. */
function readWhole(cursor: WireCursor): number {
  const at = cursor.pass(8);
  return cursor.highAt(at) * half + cursor.lowAt(at);
}

function readDouble(cursor: WireCursor): number {
  return cursor.doubleAt(cursor.pass(8));
}

function readVarint(cursor: WireCursor): number {
  return cursor.readVarint();
}

/** Reads an sint32. */
function readSigned(cursor: WireCursor): number {
  const value = cursor.readVarint();
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** Reads the numbers of a packed field. */
function readPacked(cursor: WireCursor, into: Numbers, read: (cursor: WireCursor) => number): void {
  const outer = cursor.end;
  cursor.end = cursor.readEnd();
  while (cursor.at < cursor.end) add(into, read(cursor));
  cursor.end = outer;
}

/**
 * Reads the message `Buckets`.
 * @returns the offset
 */
function readSide(cursor: WireCursor, into: Numbers): number {
  const outer = cursor.end;
  cursor.end = cursor.readEnd();
  let offset = 0;
  while (cursor.at < cursor.end) {
    const tag = cursor.readTag();
    if (tag === sideCountsTag) readPacked(cursor, into, readVarint);
    else if (tag === sideCountTag) add(into, cursor.readVarint());
    else if (tag === sideOffsetTag) offset = readSigned(cursor);
    else cursor.skip(tag);
  }
  cursor.end = outer;
  return offset;
}
