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

/** A part of a request that holds others, as it was decoded the first time. */
export interface Node {
  /** Live children; without any it is forgotten. */
  children: number;
  /** Where it is found by its bytes. */
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
  /** Of histograms: the last one of any series. */
  layout?: HistogramLayout | undefined;
}

/** 64 bits in two halves: a bigint for each point would be an object on the heap. */
export interface Halves {
  readonly high: number;
  readonly low: number;
}

/** The sum of the deltas of a histogram, which can be taken back until it was forwarded. */
export class DeltaTotal {
  #row = new HistogramRow();
  /** What it was when it was last forwarded. */
  #before = new HistogramRow();
  #isForwarded = true;

  /** @returns the sum, which is valid until the next delta */
  add(delta: HistogramRow): HistogramRow {
    if (this.#isForwarded) copyRow(this.#row, this.#before);
    this.#isForwarded = false;
    // Deltas with other bounds are of another series.
    if (Number.isNaN(this.#row.count)) copyRow(delta, this.#row);
    else addHistogram(this.#row, delta);
    return this.#row;
  }

  /** It was forwarded. */
  commit(): void {
    this.#isForwarded = true;
  }

  /** Makes it what it was when it was last forwarded. */
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

/** Whether a series is of numbers. */
export function isNumeric(series: AnySeries): series is Series {
  return 'valueType' in series.metric;
}

/** Whether a series is of histograms. */
export function isHistogram(series: AnySeries): series is HistogramSeries {
  return !isNumeric(series);
}

/** A series that points arrive for, and what is known of it. */
export class LiveSeries {
  readonly series: AnySeries;
  readonly node: MetricNode;
  /** As the sender says it; that of the series differs after a reset that the sender does not announce. */
  readonly sentStart: Halves;
  /** That of the series. */
  readonly start: Halves;
  /** Undefined: no point had a value. */
  valueType: Metric['valueType'] | undefined;
  /** Where it is found by the bytes of its attributes. */
  readonly entries: Entry<LiveSeries>[] = [];
  /** Of the last point. */
  high = 0;
  low = 0;
  /** The last value; of deltas, their sum. */
  last = 0;
  /** Where the last delta of the request that is being read ends. */
  deltaHigh = 0;
  deltaLow = 0;
  /** The last request that had a point of it. */
  request = 0;
  /** When the last point came, on a monotonic clock. */
  seenMs = 0;
  /** Whether the pipelines know it. */
  isBegun = false;
  /** Whether points that come now are of another one. */
  isReplaced = false;
  /** Whether it has ended. */
  isOver = false;
  /** Of histograms: how the values of the last point are divided. */
  layout: HistogramLayout | undefined;
  /** Of histograms: the sum of deltas. */
  total: DeltaTotal | undefined;
  /** The one that took its place in the middle of what was sent for this one. */
  successor: LiveSeries | undefined;
  /** The one whose place this one takes as soon as it has a row. */
  replaces: LiveSeries | undefined;

  constructor(series: AnySeries, node: MetricNode, sentStart: Halves) {
    this.series = series;
    this.node = node;
    this.sentStart = sentStart;
    // They are read with each point: one object is read sooner than two.
    this.start =
      joinHalves(sentStart.high, sentStart.low) === series.start ? sentStart : splitHalves(series.start);
  }

  get isCumulative(): boolean {
    return this.node.kind !== 'gauge' && !this.node.isDelta;
  }
}

/** Both halves as one number. */
export function joinHalves(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** The nanoseconds from one instant to another; beyond 2^53 they are rounded. */
export function subtractHalves(high: number, low: number, otherHigh: number, otherLow: number): number {
  return (high - otherHigh) * half + (low - otherLow);
}

function splitHalves(value: bigint): Halves {
  return { high: Number(value >> 32n), low: Number(BigInt.asUintN(32, value)) };
}

/** Whether one instant is before another. */
export function isBefore(high: number, low: number, otherHigh: number, otherLow: number): boolean {
  return high < otherHigh || (high === otherHigh && low < otherLow);
}
