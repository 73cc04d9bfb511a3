import type { Metric, Resource, Series } from '../../src/model/series.js';
import type { Entry } from './byte-cache.js';

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
  readonly kind: Metric['kind'];
  readonly isDelta: boolean;
}

/** 64 bits in two halves: a bigint for each point would be an object on the heap. */
export interface Halves {
  readonly high: number;
  readonly low: number;
}

/** A series that points arrive for, and what is known of it. */
export class LiveSeries {
  readonly series: Series;
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
  /** The one that took its place in the middle of what was sent for this one. */
  successor: LiveSeries | undefined;
  /** The one whose place this one takes as soon as it has a row. */
  replaces: LiveSeries | undefined;

  constructor(series: Series, node: MetricNode, sentStart: Halves) {
    this.series = series;
    this.node = node;
    this.sentStart = sentStart;
    this.start = splitHalves(series.start);
  }

  get isCumulative(): boolean {
    return this.node.kind !== 'gauge' && !this.node.isDelta;
  }
}

/** Both halves as one number. */
export function joinHalves(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

function splitHalves(value: bigint): Halves {
  return { high: Number(value >> 32n), low: Number(BigInt.asUintN(32, value)) };
}

/** Whether one instant is before another. */
export function isBefore(high: number, low: number, otherHigh: number, otherLow: number): boolean {
  return high < otherHigh || (high === otherHigh && low < otherLow);
}
