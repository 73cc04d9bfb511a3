import { isBefore, joinHalves, type LiveSeries } from './live-series.js';
import { Numbers } from './numbers.js';
import type { Reason } from './rejections.js';
import type { SeriesRegistry } from './series-registry.js';

/**
 * The state of series before points that may still be refused, in the order of the points. One object per point
 * would be slow.
 */
export class UndoLog {
  readonly #series: LiveSeries[] = [];
  readonly #high = new Numbers();
  readonly #low = new Numbers();
  readonly #last = new Numbers();
  /** Whether any series has accumulated histogram deltas. */
  #hasTotals = false;

  get length(): number {
    return this.#high.length;
  }

  add(one: LiveSeries): void {
    this.#series[this.length] = one;
    this.#high.push(one.high);
    this.#low.push(one.low);
    this.#last.push(one.last);
    this.#hasTotals ||= one.node.isDelta;
  }

  /** Removes the first points, which have been accepted. */
  forget(count: number): void {
    const { length } = this;
    if (this.#hasTotals) for (let i = 0; i < count; i += 1) this.#series[i].total?.commit();
    this.#series.copyWithin(0, count, length);
    // Releases series that have ended. Elements beyond the length are not read.
    (this.#series as unknown[]).fill(undefined, length - count, length);
    for (const list of [this.#high, this.#low, this.#last]) list.removeFirst(count);
  }

  /** Restores the state of every series before the first point, and clears the log. */
  takeBack(): void {
    for (let i = this.length - 1; i >= 0; i -= 1) {
      const one = this.#series[i];
      one.high = this.#high.values[i];
      one.low = this.#low.values[i];
      one.last = this.#last.values[i];
      one.total?.takeBack();
    }
    this.forget(this.length);
  }
}

/** The life cycle of series, point by point in order of time: start, reset and replacement. */
export class SeriesLifecycle {
  readonly #registry: SeriesRegistry;
  readonly #end: (old: LiveSeries, high: number, low: number) => void;

  /** @param end ends a series that another one replaces at a time */
  constructor(registry: SeriesRegistry, end: (old: LiveSeries, high: number, low: number) => void) {
    this.#registry = registry;
    this.#end = end;
  }

  /** The series that takes a point of this one, after resets that its sender did not report. */
  find(sent: LiveSeries): LiveSeries {
    let one = sent;
    while (one.successor !== undefined) one = one.successor;
    inheritTime(one);
    return one;
  }

  /**
   * Whether a series refuses a point.
   * @returns the reason; '' for a duplicate, which senders send if a response was lost
   */
  refuse(one: LiveSeries, isReset: boolean, high: number, low: number): Reason | '' | undefined {
    // A series that is both replaced and reset in one request has points of two senders.
    if (one.isOver || (isReset && one.isReplaced)) return 'older_start';
    if (isBefore(one.high, one.low, high, low)) return undefined;
    return one.high === high && one.low === low ? '' : 'older';
  }

  /**
   * Starts a series at its first accepted point.
   * @returns the series of the point: a new one after a reset
   */
  enter(one: LiveSeries, isReset: boolean, high: number, low: number): LiveSeries {
    this.#begin(one, high, low);
    return isReset ? this.#reset(one, high, low) : one;
  }

  /** Ends the series that this one replaces. */
  #begin(one: LiveSeries, high: number, low: number): void {
    inheritSum(one);
    for (let old = one.replaces; old !== undefined; old = old.replaces) {
      if (old.isBegun && !old.isOver) this.#end(old, high, low);
      old.isOver = true;
    }
    one.replaces = undefined;
  }

  /** A counter that decreased was reset after its last point. */
  #reset(one: LiveSeries, high: number, low: number): LiveSeries {
    const sent = {
      start: one.sentStart,
      time: { high: one.high, low: one.low },
      valueType: one.valueType,
    };
    const added = this.#registry.restart(one, sent, joinHalves(one.high, one.low));
    one.successor = added;
    inheritTime(added);
    this.#begin(added, high, low);
    return added;
  }
}

/** Deltas of integers that are followed by doubles add up to one sum. */
function inheritSum(one: LiveSeries): void {
  let old = one.replaces;
  while (old !== undefined && !old.isBegun) old = old.replaces;
  if (old?.node === one.node && one.node.isDelta) one.last = old.last;
}

/** A series must not have points before the last point of the series that it replaces. */
function inheritTime(one: LiveSeries): void {
  for (let old = one.replaces; old !== undefined; old = old.replaces) {
    if (!isBefore(one.high, one.low, old.high, old.low)) continue;
    one.high = old.high;
    one.low = old.low;
  }
}
