import type { ExponentialLayout, HistogramLayout, HistogramTable } from '../model/histogram-table.js';
import { createPlans } from '../model/plan.js';
import type { HistogramSeries } from '../model/series.js';
import { wireTypes } from '../protobuf.js';
import { writeAttributes } from './templates.js';
import {
  messageLength,
  MessageWriter,
  noRecordedValue,
  tagOf,
  varintLength,
  writeMessageStart,
  writeVarint,
  zigzag,
} from './wire.js';

// HistogramDataPoint and ExponentialHistogramDataPoint of opentelemetry/proto/metrics/v1/metrics.proto.

const { fixed64, lengthDelimited, varint } = wireTypes;
const half = 2 ** 32;
const fieldBytes = 9;
const attributeFields = { histogram: 9, exponential_histogram: 1 } as const;
const timeTag = tagOf(3, fixed64);
const countTag = tagOf(4, fixed64);
const sumTag = tagOf(5, fixed64);
const bucketCountsTag = tagOf(6, lengthDelimited);
const zeroCountTag = tagOf(7, fixed64);
const positiveTag = tagOf(8, lengthDelimited);
const negativeTag = tagOf(9, lengthDelimited);
const countsTag = tagOf(2, lengthDelimited);
const flagsTag = tagOf(10, varint);
const minTags = { histogram: tagOf(11, fixed64), exponential_histogram: tagOf(12, fixed64) } as const;
const maxTags = { histogram: tagOf(12, fixed64), exponential_histogram: tagOf(13, fixed64) } as const;

const writer = new MessageWriter();

/** The part of a series that is in each of its points, encoded once: its start and its attributes. */
export const pointHead = createPlans(({ metric, attributes, start }: HistogramSeries): Buffer => {
  writer.fixed64(2, start);
  writeAttributes(writer, attributeFields[metric.kind], attributes);
  return writer.finish();
});

/** A layout, encoded once: bounds, or scale and threshold. Offsets are written with the counts. */
const layoutBytes = createPlans((layout: HistogramLayout): Buffer => {
  if (layout.kind === 'exponential_histogram') {
    writer.integer(6, zigzag(layout.scale));
    if (layout.zeroThreshold > 0) writer.double(14, layout.zeroThreshold);
    return writer.finish();
  }
  const { bounds } = layout;
  if (bounds.length === 0) return Buffer.alloc(0);
  const packed = Buffer.alloc(bounds.length * 8);
  for (const [i, bound] of bounds.entries()) packed.writeDoubleLE(bound, i * 8);
  const head = Buffer.alloc(1 + varintLength(packed.length));
  writeMessageStart(head, 0, tagOf(7, lengthDelimited), packed.length);
  return Buffer.concat([head, packed]);
});

/** Writes successive points, each as a field `data_points`. Allocates no object per point. */
export class HistogramPointWriter {
  #bytes = Buffer.allocUnsafeSlow(64 * 1024);
  #view = viewOf(this.#bytes);
  #at = 0;
  #layout: HistogramLayout | undefined;
  #layoutBytes: Buffer = Buffer.alloc(0);

  /** Bytes so far. */
  get length(): number {
    return this.#at;
  }

  /**
   * @param head of the row's series
   * @param times for every row, the low and the high half of its Unix time in nanoseconds
   */
  add(table: HistogramTable, row: number, head: Buffer, times: Uint32Array): void {
    // Successive rows mostly have the same layout.
    const layout = table.layouts[row];
    if (layout !== this.#layout) {
      this.#layout = layout;
      this.#layoutBytes = layoutBytes(layout);
    }
    const length = head.length + pointLength(table, row, this.#layoutBytes.length);
    this.#reserve(messageLength(length));
    this.#at = writeMessageStart(this.#bytes, this.#at, tagOf(1, lengthDelimited), length);
    this.#copy(head);
    this.#bytes[this.#at] = timeTag;
    this.#view.setUint32(this.#at + 1, times[2 * row], true);
    this.#view.setUint32(this.#at + 5, times[2 * row + 1], true);
    this.#at += fieldBytes;
    if (Number.isNaN(table.counts[row])) {
      this.#bytes[this.#at] = flagsTag;
      this.#bytes[this.#at + 1] = noRecordedValue;
      this.#at += 2;
    } else this.#writeFigures(table, row);
  }

  /** Discards what was written. */
  clear(): void {
    this.#at = 0;
  }

  /** Moves the first bytes, up to this length, into a buffer. The rest is kept for the next call. */
  moveTo(target: Buffer, at: number, length: number): void {
    this.#bytes.copy(target, at, 0, length);
    this.#bytes.copyWithin(0, length, this.#at);
    this.#at -= length;
  }

  #writeFigures(table: HistogramTable, row: number): void {
    const layout = table.layouts[row];
    const { kind } = layout;
    this.#writeWhole(countTag, table.counts[row]);
    this.#writeDouble(sumTag, table.sums[row]);
    this.#copy(this.#layoutBytes);
    const from = table.bucketsFrom[row];
    const to = table.bucketsFrom[row + 1];
    if (layout.kind === 'histogram') this.#writeFixed(table.buckets, from, to);
    else {
      this.#writeWhole(zeroCountTag, table.buckets[from]);
      this.#writeSide(layout, true, table.buckets, from + 1);
      this.#writeSide(layout, false, table.buckets, from + 1 + layout.positiveCount);
    }
    this.#writeDouble(minTags[kind], table.minima[row]);
    this.#writeDouble(maxTags[kind], table.maxima[row]);
  }

  #writeWhole(tag: number, value: number): void {
    this.#bytes[this.#at] = tag;
    setWhole(this.#view, this.#at + 1, value);
    this.#at += fieldBytes;
  }

  /** NaN is omitted: the value is unknown. */
  #writeDouble(tag: number, value: number): void {
    if (Number.isNaN(value)) return;
    this.#bytes[this.#at] = tag;
    this.#view.setFloat64(this.#at + 1, value, true);
    this.#at += fieldBytes;
  }

  #writeFixed(buckets: Float64Array, from: number, to: number): void {
    if (from === to) return;
    this.#at = writeMessageStart(this.#bytes, this.#at, bucketCountsTag, 8 * (to - from));
    for (let i = from; i < to; i += 1, this.#at += 8) setWhole(this.#view, this.#at, buckets[i]);
  }

  /** Writes the buckets of one side of zero. */
  #writeSide(layout: ExponentialLayout, isPositive: boolean, buckets: Float64Array, from: number): void {
    const to = from + (isPositive ? layout.positiveCount : layout.negativeCount);
    if (from === to) return;
    const tag = isPositive ? positiveTag : negativeTag;
    const offset = isPositive ? layout.positiveOffset : layout.negativeOffset;
    const counts = varintsLength(buckets, from, to);
    const length = 1 + varintLength(zigzag(offset)) + messageLength(counts);
    this.#at = writeMessageStart(this.#bytes, this.#at, tag, length);
    this.#bytes[this.#at] = tagOf(1, varint);
    this.#at = writeVarint(this.#bytes, this.#at + 1, zigzag(offset));
    this.#at = writeMessageStart(this.#bytes, this.#at, countsTag, counts);
    for (let i = from; i < to; i += 1) this.#at = writeVarint(this.#bytes, this.#at, buckets[i]);
  }

  #copy(field: Uint8Array): void {
    this.#bytes.set(field, this.#at);
    this.#at += field.length;
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const bytes = Buffer.allocUnsafeSlow(2 * (this.#at + length));
    this.#bytes.copy(bytes, 0, 0, this.#at);
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }
}

/** The length of a point without its tag, its length prefix and its head. */
function pointLength(table: HistogramTable, row: number, layoutLength: number): number {
  if (Number.isNaN(table.counts[row])) return fieldBytes + 2;
  const layout = table.layouts[row];
  let length = 2 * fieldBytes + layoutLength;
  if (!Number.isNaN(table.sums[row])) length += fieldBytes;
  if (!Number.isNaN(table.minima[row])) length += fieldBytes;
  if (!Number.isNaN(table.maxima[row])) length += fieldBytes;
  const from = table.bucketsFrom[row];
  const to = table.bucketsFrom[row + 1];
  if (layout.kind === 'histogram') return from === to ? length : length + messageLength(8 * (to - from));
  const negativeFrom = from + 1 + layout.positiveCount;
  length += fieldBytes;
  length += bucketsLength(layout.positiveOffset, table.buckets, from + 1, negativeFrom);
  return length + bucketsLength(layout.negativeOffset, table.buckets, negativeFrom, to);
}

function bucketsLength(offset: number, buckets: Float64Array, from: number, to: number): number {
  if (from === to) return 0;
  return messageLength(1 + varintLength(zigzag(offset)) + messageLength(varintsLength(buckets, from, to)));
}

function varintsLength(buckets: Float64Array, from: number, to: number): number {
  let length = 0;
  for (let i = from; i < to; i += 1) length += varintLength(buckets[i]);
  return length;
}

function setWhole(view: DataView, at: number, value: number): void {
  const high = Math.floor(value / half);
  view.setUint32(at, value - high * half, true);
  view.setUint32(at + 4, high, true);
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}
