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
  /** The slot of the instant at which it was 0; negative: the target does not give it. */
  startSlot = -1;
  /** The instant that the page gave for the last value, in Unix milliseconds; NaN: none. */
  stampMs = NaN;
  /** Whether there was a series: the next one was reset. */
  hasBegun = false;
  #last = NaN;
  #startSeconds = NaN;

  constructor(description: ColumnDescription) {
    this.description = description;
    this.isCounter = description.metric.kind === 'counter';
  }

  /**
   * Takes the value of a page.
   * @param startSeconds the instant at which it was 0, by the page; NaN: unknown
   * @returns whether the counter was reset since the last page
   */
  follow(value: number, startSeconds: number): boolean {
    const isReset = value < this.#last || isOther(startSeconds, this.#startSeconds);
    // After a gap, the value before it counts.
    if (!Number.isNaN(value)) this.#last = value;
    this.#startSeconds = startSeconds;
    return isReset && this.series !== undefined;
  }

  /**
   * Begins a series.
   * @param earliest when it began at the earliest, where the page does not say when it was 0
   * @param at the instant of its first value
   */
  begin(resource: Resource, earliest: bigint, at: bigint): Series {
    const { metric, attributes } = this.description;
    const known = this.isCounter && Number.isFinite(this.#startSeconds);
    const start = known ? BigInt(Math.round(this.#startSeconds * 1e6)) * 1000n : earliest;
    this.hasBegun = true;
    this.series = { metric, resource, attributes, start: start < at ? start : at };
    return this.series;
  }
}

/** Whether both are known, and differ. */
function isOther(startSeconds: number, before: number): boolean {
  return !Number.isNaN(startSeconds) && !Number.isNaN(before) && startSeconds !== before;
}
