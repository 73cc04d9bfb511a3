import { ascends } from '../../src/model/check-histograms.js';
import {
  bucketless,
  HistogramRow,
  HistogramRows,
  type ExponentialLayout,
  type HistogramLayout,
  type HistogramTable,
} from '../../src/model/histogram-table.js';
import type { HistogramSeries } from '../../src/model/series.js';
import { tagOf } from '../../src/otlp/wire.js';
import type { WireCursor } from '../../src/otlp/wire-cursor.js';
import { wireTypes } from '../../src/protobuf.js';
import { joinHalves, type LiveSeries, type MetricNode } from './live-series.js';
import { PointHead } from './point-head.js';
import { noRecordedValue } from './point-reader.js';
import type { Reason, Rejections } from './rejections.js';
import type { SeriesRegistry } from './series-registry.js';

// HistogramDataPoint and ExponentialHistogramDataPoint of opentelemetry/proto/metrics/v1/metrics.proto.

const { fixed64, lengthDelimited, varint } = wireTypes;
const startTag = tagOf(2, fixed64);
const timeTag = tagOf(3, fixed64);
const countTag = tagOf(4, fixed64);
const sumTag = tagOf(5, fixed64);
const flagsTag = tagOf(10, varint);

// Senders may pack numbers or not.
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

/** More are a mistake, or an attack on memory. */
const maxBuckets = 10_000;
/** Beyond these, factors are no doubles, or no longer differ from 1. */
const [minScale, maxScale] = [-10, 20];
const maxOffset = 2 ** 31;
const half = 2 ** 32;

const noExponentialBuckets: ExponentialLayout = {
  kind: 'exponential_histogram',
  scale: 0,
  zeroThreshold: 0,
  positiveOffset: 0,
  positiveCount: 0,
  negativeOffset: 0,
  negativeCount: 0,
};

/** Histograms of a request, in its order. */
export class PendingHistograms {
  readonly live: LiveSeries[] = [];
  readonly high: number[] = [];
  readonly low: number[] = [];
  readonly #rows = new HistogramRows();

  add(one: LiveSeries, { high, low }: PointHead, row: HistogramRow): void {
    this.live.push(one);
    this.high.push(high);
    this.low.push(low);
    // Points of histograms have series of histograms: metrics of the same name and another kind have others.
    this.#rows.add(one.series as HistogramSeries, 0, row);
  }

  /** What was added, as rows whose instants are in `high` and `low`. */
  take(): HistogramTable {
    return this.#rows.take(0n);
  }
}

/** Numbers that are read one after the other. */
class Numbers {
  values = new Float64Array(64);
  length = 0;

  push(value: number): void {
    if (this.length === this.values.length) {
      const wider = new Float64Array(2 * this.length);
      wider.set(this.values);
      this.values = wider;
    }
    this.values[this.length] = value;
    this.length += 1;
  }
}

/** Reads points of histograms. */
export class HistogramReader {
  readonly #registry: SeriesRegistry;
  readonly #head: PointHead;
  readonly #row = new HistogramRow();
  /** Of all buckets; while a point is read, of those that are not negative. */
  readonly #counts = new Numbers();
  readonly #negative = new Numbers();
  readonly #bounds = new Numbers();
  /** Where points go. */
  pending = new PendingHistograms();
  /** The time on a monotonic clock. */
  nowMs = 0;
  #flags = 0;
  #scale = 0;
  #zeroThreshold = 0;
  #zero = 0;
  #positiveOffset = 0;
  #positiveCount = 0;
  #negativeOffset = 0;

  constructor(registry: SeriesRegistry) {
    this.#registry = registry;
    this.#head = new PointHead(registry);
  }

  /** Reads the point whose length is the next byte. */
  read(cursor: WireCursor, node: MetricNode, rejections: Rejections): void {
    const outer = cursor.end;
    cursor.end = cursor.readEnd();
    this.#readFields(cursor, node.kind === 'histogram');
    cursor.end = outer;
    const reason = this.#head.checkInstants(node) ?? this.#checkBuckets(node) ?? this.#take(node);
    if (reason !== undefined) rejections.add(reason, 1, node.name);
  }

  #readFields(cursor: WireCursor, isExplicit: boolean): void {
    this.#clear(isExplicit);
    const { end } = cursor;
    while (cursor.at < end) {
      const fieldAt = cursor.at;
      const tag = cursor.readTag();
      switch (tag) {
        case startTag:
          this.#head.readStart(cursor);
          break;
        case timeTag:
          this.#head.readTime(cursor);
          break;
        case countTag:
          this.#row.count = readWhole(cursor);
          break;
        case sumTag:
          this.#row.sum = readDouble(cursor);
          break;
        case flagsTag:
          this.#flags = cursor.readVarint();
          break;
        default:
          if (isExplicit) this.#readExplicit(cursor, tag, fieldAt);
          else this.#readExponential(cursor, tag, fieldAt);
      }
    }
    if (!isExplicit) this.#joinSides();
  }

  #clear(isExplicit: boolean): void {
    this.#head.clear();
    this.#row.clear(bucketless);
    this.#row.count = 0;
    this.#counts.length = isExplicit ? 0 : 1;
    this.#negative.length = this.#bounds.length = 0;
    this.#flags = this.#scale = this.#zero = this.#zeroThreshold = 0;
    this.#positiveOffset = this.#negativeOffset = 0;
  }

  #readExplicit(cursor: WireCursor, tag: number, fieldAt: number): void {
    switch (tag) {
      case bucketCountsTag:
        readPacked(cursor, this.#counts, readWhole);
        break;
      case bucketCountTag:
        this.#counts.push(readWhole(cursor));
        break;
      case boundsTag:
        readPacked(cursor, this.#bounds, readDouble);
        break;
      case boundTag:
        this.#bounds.push(readDouble(cursor));
        break;
      case explicitAttributeTag:
        this.#head.readAttribute(cursor, fieldAt);
        break;
      case explicitMinTag:
        this.#row.min = readDouble(cursor);
        break;
      case explicitMaxTag:
        this.#row.max = readDouble(cursor);
        break;
      default:
        cursor.skip(tag);
    }
  }

  #readExponential(cursor: WireCursor, tag: number, fieldAt: number): void {
    switch (tag) {
      case exponentialAttributeTag:
        this.#head.readAttribute(cursor, fieldAt);
        break;
      case scaleTag:
        this.#scale = readSigned(cursor);
        break;
      case zeroCountTag:
        this.#zero = readWhole(cursor);
        break;
      case positiveTag:
        this.#positiveOffset = readSide(cursor, this.#counts);
        break;
      case negativeTag:
        this.#negativeOffset = readSide(cursor, this.#negative);
        break;
      case exponentialMinTag:
        this.#row.min = readDouble(cursor);
        break;
      case exponentialMaxTag:
        this.#row.max = readDouble(cursor);
        break;
      case zeroThresholdTag:
        this.#zeroThreshold = readDouble(cursor);
        break;
      default:
        cursor.skip(tag);
    }
  }

  /** Lays the counts of exponential buckets next to each other: the first one is that of zero. */
  #joinSides(): void {
    this.#counts.values[0] = this.#zero;
    this.#positiveCount = this.#counts.length - 1;
    for (let i = 0; i < this.#negative.length; i += 1) this.#counts.push(this.#negative.values[i]);
  }

  get #isGap(): boolean {
    return (this.#flags & noRecordedValue) !== 0;
  }

  #checkBuckets({ kind }: MetricNode): Reason | undefined {
    if (this.#isGap) return undefined;
    const { sum, min, max } = this.#row;
    if ([sum, min, max].some((value) => Math.abs(value) === Infinity)) return 'infinite';
    if (this.#counts.length > maxBuckets || this.#bounds.length >= maxBuckets) return 'bucket_limit';
    return kind === 'histogram' ? this.#checkExplicit() : this.#checkExponential();
  }

  #checkExplicit(): Reason | undefined {
    const [counts, bounds] = [this.#counts, this.#bounds];
    if (counts.length === 0 && bounds.length === 0) return undefined;
    if (counts.length !== bounds.length + 1) return 'buckets';
    if (!this.#hasAllCounts()) return 'bucket_sum';
    // One bucket of everything says no more than the count.
    if (counts.length === 1) counts.length = 0;
    return undefined;
  }

  #checkExponential(): Reason | undefined {
    const hasScale = this.#scale >= minScale && this.#scale <= maxScale;
    const hasOffsets =
      Math.abs(this.#positiveOffset) <= maxOffset && Math.abs(this.#negativeOffset) <= maxOffset;
    const hasThreshold = this.#zeroThreshold >= 0 && this.#zeroThreshold < Infinity;
    if (!hasScale || !hasOffsets || !hasThreshold) return 'scale';
    return this.#hasAllCounts() ? undefined : 'bucket_sum';
  }

  #hasAllCounts(): boolean {
    const { values, length } = this.#counts;
    let sum = 0;
    for (let i = 0; i < length; i += 1) sum += values[i];
    return sum === this.#row.count;
  }

  #take(node: MetricNode): Reason | undefined {
    const sent = this.#head.findSeries(node, undefined);
    if (typeof sent === 'string') return sent;
    const layout = this.#findLayout(sent, node);
    if (layout === undefined) return 'bounds';
    const found = this.#hasOtherBounds(sent, layout) ? this.#restart(sent) : sent;
    const reason = this.#head.check(found);
    if (reason !== undefined) return reason;
    if (!this.#isGap) found.layout = node.layout = layout;
    this.#add(found, layout);
    return undefined;
  }

  /** The same object as of the point before where it is the same. @returns undefined where bounds do not ascend */
  #findLayout(found: LiveSeries, node: MetricNode): HistogramLayout | undefined {
    const known = found.layout ?? node.layout;
    if (this.#isGap) return known ?? (node.kind === 'histogram' ? bucketless : noExponentialBuckets);
    if (known !== undefined && this.#isLayout(known)) return known;
    if (node.layout !== undefined && this.#isLayout(node.layout)) return node.layout;
    if (node.kind !== 'histogram') return this.#createExponential();
    if (this.#bounds.length === 0) return bucketless;
    const bounds = this.#bounds.values.slice(0, this.#bounds.length);
    return ascends(bounds) ? { kind: 'histogram', bounds } : undefined;
  }

  #isLayout(layout: HistogramLayout): boolean {
    if (layout.kind === 'exponential_histogram') {
      return (
        layout.scale === this.#scale &&
        layout.zeroThreshold === this.#zeroThreshold &&
        layout.positiveCount === this.#positiveCount &&
        layout.positiveOffset === this.#positiveOffset &&
        layout.negativeCount === this.#negative.length &&
        layout.negativeOffset === this.#negativeOffset
      );
    }
    const { bounds } = layout;
    if (bounds.length !== this.#bounds.length) return false;
    for (let i = 0; i < bounds.length; i += 1) if (bounds[i] !== this.#bounds.values[i]) return false;
    return true;
  }

  #createExponential(): ExponentialLayout {
    return {
      kind: 'exponential_histogram',
      scale: this.#scale,
      zeroThreshold: this.#zeroThreshold,
      positiveOffset: this.#positiveOffset,
      positiveCount: this.#positiveCount,
      negativeOffset: this.#negativeOffset,
      negativeCount: this.#negative.length,
    };
  }

  /** Histograms with other bounds are another series: neither can be computed from the other. */
  #hasOtherBounds({ layout: before }: LiveSeries, layout: HistogramLayout): boolean {
    return !this.#isGap && before?.kind === 'histogram' && before !== layout;
  }

  #restart(found: LiveSeries): LiveSeries {
    const sent = this.#head.sent(undefined);
    if (!found.node.isDelta)
      return this.#registry.restart(found, { ...sent, start: found.sentStart }, found.series.start);
    const { high, low } = this.#head.hasStart ? sent.start : sent.time;
    return this.#registry.restart(found, sent, joinHalves(high, low));
  }

  #add(found: LiveSeries, layout: HistogramLayout): void {
    found.request = this.#registry.request;
    found.seenMs = this.nowMs;
    const row = this.#row;
    if (this.#isGap) row.clear(layout);
    else {
      row.layout = layout;
      row.buckets = this.#counts.values.subarray(0, this.#counts.length);
    }
    this.pending.add(found, this.#head, row);
  }
}

/** 64 bits without a sign, as the nearest double. */
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

/** A number as sint32 has it. */
function readSigned(cursor: WireCursor): number {
  const value = cursor.readVarint();
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** Reads numbers that are packed into one field. */
function readPacked(cursor: WireCursor, into: Numbers, read: (cursor: WireCursor) => number): void {
  const outer = cursor.end;
  cursor.end = cursor.readEnd();
  while (cursor.at < cursor.end) into.push(read(cursor));
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
    else if (tag === sideCountTag) into.push(cursor.readVarint());
    else if (tag === sideOffsetTag) offset = readSigned(cursor);
    else cursor.skip(tag);
  }
  cursor.end = outer;
  return offset;
}
