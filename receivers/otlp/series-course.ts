import { isBefore, joinHalves, type LiveSeries } from './live-series.js';
import { Numbers } from './numbers.js';
import type { Reason } from './rejections.js';
import type { SeriesRegistry } from './series-registry.js';

/** What series were before points that may still be refused, in the order of these points. An object each would be slow. */
export class UndoLog {
  readonly #series: LiveSeries[] = [];
  readonly #high = new Numbers();
  readonly #low = new Numbers();
  readonly #last = new Numbers();
  /** Whether there were series with sums of deltas. */
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

  /** Forgets the first points: they have been taken. */
  forget(count: number): void {
    const { length } = this;
    if (this.#hasTotals) for (let i = 0; i < count; i += 1) this.#series[i].total?.commit();
    this.#series.copyWithin(0, count, length);
    // What ended is not to be kept by its last point. Nothing reads beyond the length.
    (this.#series as unknown[]).fill(undefined, length - count, length);
    for (const list of [this.#high, this.#low, this.#last]) list.removeFirst(count);
  }

  /** Makes every series what it was before the first of these points, and forgets them. */
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

/** What becomes of series, point by point in the order of time: they begin, are reset and take the place of others. */
export class SeriesCourse {
  readonly #registry: SeriesRegistry;
  readonly #end: (old: LiveSeries, high: number, low: number) => void;

  /** @param end ends a series whose place another one takes at an instant */
  constructor(registry: SeriesRegistry, end: (old: LiveSeries, high: number, low: number) => void) {
    this.#registry = registry;
    this.#end = end;
  }

  /** The series that takes a point of this one, after resets that its sender did not announce. */
  find(sent: LiveSeries): LiveSeries {
    let one = sent;
    while (one.successor !== undefined) one = one.successor;
    inheritTime(one);
    return one;
  }

  /**
   * Whether a series takes a point.
   * @returns why not; '' where it has taken it before: what is sent again after an answer was lost
   */
  refuse(one: LiveSeries, isReset: boolean, high: number, low: number): Reason | '' | undefined {
    // What was replaced in this very request, and is reset in it as well, is of two senders.
    if (one.isOver || (isReset && one.isReplaced)) return 'older_start';
    if (isBefore(one.high, one.low, high, low)) return undefined;
    return one.high === high && one.low === low ? '' : 'older';
  }

  /**
   * Begins a series at a point that it takes, if it has not begun.
   * @returns the series of the point: another one after a reset
   */
  enter(one: LiveSeries, isReset: boolean, high: number, low: number): LiveSeries {
    this.#begin(one, high, low);
    return isReset ? this.#reset(one, high, low) : one;
  }

  /** Ends what a series takes the place of. */
  #begin(one: LiveSeries, high: number, low: number): void {
    for (let old = one.replaces; old !== undefined; old = old.replaces) {
      if (old.isBegun && !old.isOver) this.#end(old, high, low);
      old.isOver = true;
    }
    one.replaces = undefined;
  }

  /** A counter that fell was reset after its last point at the earliest. */
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

/** A series goes on in time where the one ended whose place it is to take. */
function inheritTime(one: LiveSeries): void {
  for (let old = one.replaces; old !== undefined; old = old.replaces) {
    if (!isBefore(one.high, one.low, old.high, old.low)) continue;
    one.high = old.high;
    one.low = old.low;
  }
}
