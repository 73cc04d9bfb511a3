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
   * @param at the instant of its first value: no series starts after it
   */
  begin(resource: Resource, start: bigint, at: bigint): Series {
    const { metric, attributes } = this.description;
    this.hasBegun = true;
    this.series = { metric, resource, attributes, start: start < at ? start : at };
    return this.series;
  }
}
