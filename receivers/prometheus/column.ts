import type { Attributes, Metric, Resource, Series } from '../../src/model/series.js';

/** What a page gave. */
export interface Page {
  /** Unix time in nanoseconds at which it was asked for. */
  readonly at: bigint;
  /** By slot. */
  readonly values: Float64Array;
  /** The instant of each value by the page, by slot; NaN: that of the page. Undefined: none has its own. */
  readonly stamps: Float64Array | undefined;
  /** Milliseconds in one unit of these instants. */
  readonly stampUnitMs: number;
}

/** What a series of a target is, apart from its resource. */
export interface ColumnDescription {
  readonly slot: number;
  readonly metric: Metric;
  readonly attributes: Attributes;
  /** The label `job`, and `instance`: they identify the resource. */
  readonly job: string;
  readonly instance: string;
  /** What the samples of a family that start together have in common. */
  readonly startKey: string;
  /** What distinguishes it from all others of the target. */
  readonly key: string;
}

/** A column of a target's tables: one series after the other, each until it is reset. */
export class Column {
  readonly description: ColumnDescription;
  readonly isCounter: boolean;
  series: Series | undefined = undefined;
  /** The instant that the page gave for the last value, in Unix milliseconds; NaN: none. */
  stampMs = NaN;
  /** Whether there was a series: the next one was reset. */
  hasBegun = false;

  constructor(description: ColumnDescription) {
    this.description = description;
    this.isCounter = description.metric.kind === 'counter';
  }

  /**
   * Begins a series.
   * @param start when it was 0, or when it was first seen
   */
  begin(resource: Resource, start: bigint): Series {
    const { metric, attributes } = this.description;
    this.hasBegun = true;
    this.series = { metric, resource, attributes, start };
    return this.series;
  }
}

/** The year 2262, up to which nanoseconds fit into 64 bits. */
const maxSeconds = 2 ** 63 / 1e9;

/**
 * When a series was 0.
 * @param seconds what the page says, in Unix seconds; NaN: nothing
 * @param afterReset the earliest instant where an earlier series was reset
 * @param first the instant of its first value: no series starts after it
 */
export function findStart(seconds: number, afterReset: bigint | undefined, first: bigint): bigint {
  const isKnown = seconds >= 0 && seconds < maxSeconds;
  const start = isKnown ? BigInt(Math.round(seconds * 1e6)) * 1000n : (afterReset ?? first);
  return start < first ? start : first;
}
