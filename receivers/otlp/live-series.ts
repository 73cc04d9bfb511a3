import { addHistogram } from '../../src/model/add-histograms.js';
import { HistogramRow, type HistogramLayout } from '../../src/model/histogram-table.js';
import type {
  AnySeries,
  HistogramKind,
  HistogramSeries,
  Metric,
  MetricKind,
  Resource,
  Series,
} from '../../src/model/series.js';
import type { Entry } from './byte-cache.js';

const half = 2 ** 32;

/** A part of a request that contains other parts. It is decoded once. */
export interface Node {
  /** Number of live children; a node without children is removed. */
  children: number;
  /** Its entry in the cache. */
  entry: Entry<unknown> | undefined;
}

export interface ResourceNode extends Node {
  readonly resource: Resource;
}

export interface ScopeNode extends Node {
  readonly parent: ResourceNode;
  readonly name: string;
}

/** A metric of a resource and scope. */
export interface MetricNode extends Node {
  readonly parent: ScopeNode;
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly kind: MetricKind | HistogramKind;
  readonly isDelta: boolean;
  /** For histograms: the last layout of any series. */
  layout?: HistogramLayout | undefined;
}

/** 64 bits in two halves: a bigint for each point would be a heap object. */
export interface Halves {
  readonly high: number;
  readonly low: number;
}

/** The accumulated deltas of a histogram. Deltas that were not forwarded can be rolled back. */
export class DeltaTotal {
  #row = new HistogramRow();
  /** The last forwarded sum. */
  #before = new HistogramRow();
  #isForwarded = true;

  /** @returns the sum, which is valid until the next delta */
  add(delta: HistogramRow): HistogramRow {
    if (this.#isForwarded) copyRow(this.#row, this.#before);
    this.#isForwarded = false;
    // Deltas with other bounds belong to another series.
    if (Number.isNaN(this.#row.count)) copyRow(delta, this.#row);
    else addHistogram(this.#row, delta);
    return this.#row;
  }

  /** Must be called when the sum has been forwarded. */
  commit(): void {
    this.#isForwarded = true;
  }

  /** Restores the last forwarded sum. */
  takeBack(): void {
    if (this.#isForwarded) return;
    [this.#row, this.#before] = [this.#before, this.#row];
    this.#isForwarded = true;
  }
}

function copyRow(from: HistogramRow, into: HistogramRow): void {
  into.count = from.count;
  into.sum = from.sum;
  into.min = from.min;
  into.max = from.max;
  into.layout = from.layout;
  if (into.buckets.length === from.buckets.length) into.buckets.set(from.buckets);
  else into.buckets = from.buckets.slice();
}

/** Whether a series consists of numbers. */
export function isNumeric(series: AnySeries): series is Series {
  return 'valueType' in series.metric;
}

/** Whether a series consists of histograms. */
export function isHistogram(series: AnySeries): series is HistogramSeries {
  return !isNumeric(series);
}

/** A series that receives points, and its state. */
export class LiveSeries {
  readonly series: AnySeries;
  readonly node: MetricNode;
  /** The start that the sender reports. After a reset that the sender does not report, `start` differs. */
  readonly sentStart: Halves;
  /** The start of the series. */
  readonly start: Halves;
  /** Undefined: no point had a value. */
  valueType: Metric['valueType'] | undefined;
  /** Its entries in the cache, by the bytes of its attributes. */
  readonly entries: Entry<LiveSeries>[] = [];
  /** Timestamp of the last point. */
  high = 0;
  low = 0;
  /** The last value; for deltas, the accumulated sum. */
  last = 0;
  /** End of the last delta in the current request. */
  deltaHigh = 0;
  deltaLow = 0;
  /** The last request that had a point of this series. */
  request = 0;
  /** When the last point arrived, on a monotonic clock. */
  seenMs = 0;
  /** Whether it has been forwarded to the pipelines. */
  isBegun = false;
  /** Whether later points belong to another series. */
  isReplaced = false;
  /** Whether it has ended. */
  isOver = false;
  /** For histograms: the bucket layout of the last point. */
  layout: HistogramLayout | undefined;
  /** For histograms: the accumulated deltas. */
  total: DeltaTotal | undefined;
  /** The series that replaced this one within its points, after a reset. */
  successor: LiveSeries | undefined;
  /** The series that this one replaces with its first row. */
  replaces: LiveSeries | undefined;

  constructor(series: AnySeries, node: MetricNode, sentStart: Halves) {
    this.series = series;
    this.node = node;
    this.sentStart = sentStart;
    // Both are read for each point: one shared object is faster than two.
    this.start =
      joinHalves(sentStart.high, sentStart.low) === series.start ? sentStart : splitHalves(series.start);
  }

  get isCumulative(): boolean {
    return this.node.kind !== 'gauge' && !this.node.isDelta;
  }
}

/** Joins both halves to one integer. */
export function joinHalves(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** The nanoseconds from one time to another; rounded beyond 2^53. */
export function subtractHalves(high: number, low: number, otherHigh: number, otherLow: number): number {
  return (high - otherHigh) * half + (low - otherLow);
}

function splitHalves(value: bigint): Halves {
  return { high: Number(value >> 32n), low: Number(BigInt.asUintN(32, value)) };
}

/** Whether one time is before another. */
export function isBefore(high: number, low: number, otherHigh: number, otherLow: number): boolean {
  return high < otherHigh || (high === otherHigh && low < otherLow);
}
