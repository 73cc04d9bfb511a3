import type { Attributes, Metric, Resource, Series } from '../../src/model/series.js';

/** The values of a page. */
export interface Page {
  /** Unix time in nanoseconds of the request. */
  readonly at: bigint;
  /** By slot. */
  readonly values: Float64Array;
  /** The page's timestamps of values, by slot; NaN: that of the page. Undefined: no value has a timestamp. */
  readonly stamps: Float64Array | undefined;
  /** Milliseconds per unit of these timestamps. */
  readonly stampUnitMs: number;
}

/** The description of a target's series, without its resource. */
export interface ColumnDescription {
  readonly slot: number;
  readonly metric: Metric;
  readonly attributes: Attributes;
  /** The labels `job` and `instance`, which identify the resource. */
  readonly job: string;
  readonly instance: string;
  /** Equal for samples of a family that start together. */
  readonly startKey: string;
  /** Unique within the target. */
  readonly key: string;
}

/** A column of a target's tables: consecutive series, each until a reset. */
export class Column {
  readonly description: ColumnDescription;
  readonly isCounter: boolean;
  series: Series | undefined = undefined;
  /** The page's timestamp of the last value, in Unix milliseconds; NaN: none. */
  stampMs = NaN;
  /** Whether there was a series before: the next one follows a reset. */
  hasBegun = false;

  constructor(description: ColumnDescription) {
    this.description = description;
    this.isCounter = description.metric.kind === 'counter';
  }

  /**
   * Starts a series.
   * @param start when it was 0, or when it was first seen
   */
  begin(resource: Resource, start: bigint): Series {
    const { metric, attributes } = this.description;
    this.hasBegun = true;
    this.series = { metric, resource, attributes, start };
    return this.series;
  }
}

/** The year 2262, until which nanoseconds fit into 64 bits. */
const maxSeconds = 2 ** 63 / 1e9;

/**
 * The start of a series.
 * @param seconds the page's start, in Unix seconds; NaN: none
 * @param afterReset the earliest possible start if an earlier series was reset
 * @param first the time of its first value, which is the latest possible start
 */
export function findStart(seconds: number, afterReset: bigint | undefined, first: bigint): bigint {
  const isKnown = seconds >= 0 && seconds < maxSeconds;
  const start = isKnown ? BigInt(Math.round(seconds * 1e6)) * 1000n : (afterReset ?? first);
  return start < first ? start : first;
}
