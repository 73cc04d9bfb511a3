import { passHistograms, type Consumer } from '../../src/component/consumer.js';
import { createHistogramEnding } from '../../src/model/histogram-table.js';
import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { isHistogram, isNumeric, joinHalves, type LiveSeries } from './live-series.js';
import type { Rejections } from './rejections.js';
import { RowTables } from './row-tables.js';
import type { Row, Rows } from './rows.js';
import { SeriesLifecycle, UndoLog } from './series-lifecycle.js';
import type { SeriesRegistry } from './series-registry.js';

/** Number of points after which other work can run. */
const pointsAtATime = 4000;

/** Forwards rows of points as tables. Deltas are accumulated, and resets start new series. */
export class TableWriter {
  readonly #next: Consumer;
  readonly #course: SeriesLifecycle;
  readonly #tables = new RowTables((table) => this.#forward(table));
  /** State before the queued points. */
  readonly #undo = new UndoLog();
  /** Number of these points that are in rows before the current one. */
  #rowFrom = 0;
  #isRefused = false;

  constructor(registry: SeriesRegistry, next: Consumer) {
    this.#next = next;
    this.#course = new SeriesLifecycle(registry, (old, high, low) => this.#end(old, joinHalves(high, low)));
  }

  /**
   * Forwards the points of a request. The caller may run other work whenever this yields.
   * @returns false if a table was refused: then it and everything behind it are rolled back
   */
  *write(rows: Rows, rejections: Rejections): Generator<void, boolean> {
    this.#isRefused = false;
    try {
      yield* this.#writeRows(rows, rejections);
      this.#rowFrom = this.#undo.length;
      if (!this.#isRefused) this.#tables.flush();
    } finally {
      this.#takeBack();
    }
    return !this.#isRefused;
  }

  *#writeRows(rows: Rows, rejections: Rejections): Generator<void> {
    let unwritten = pointsAtATime;
    for (const row of rows.list()) {
      unwritten -= this.#writeRow(rows, row, rejections);
      if (this.#isRefused) return;
      if (unwritten > 0) continue;
      unwritten = pointsAtATime;
      yield;
    }
  }

  /** @returns the number of its points */
  #writeRow({ series, values, next }: Rows, { high, low, first }: Row, rejections: Rejections): number {
    let points = 0;
    this.#rowFrom = this.#undo.length;
    for (let i = first; i >= 0; i = next[i]) {
      points += 1;
      const one = this.#course.find(series[i]);
      const isReset = hasFallen(one, values[i]);
      const reason = this.#course.refuse(one, isReset, high, low);
      if (reason !== undefined) {
        if (reason !== '') rejections.add(reason, 1, one.node.name);
        continue;
      }
      const current = this.#course.enter(one, isReset, high, low);
      this.#advance(current, high, low, values[i]);
      // Number points belong to number series.
      this.#tables.add(current.series as Series, Number.isNaN(values[i]) ? NaN : current.last);
    }
    this.#tables.endRow(high, low);
    return points;
  }

  #advance(one: LiveSeries, high: number, low: number, value: number): void {
    this.#undo.add(one);
    one.high = high;
    one.low = low;
    one.isBegun = true;
    if (!Number.isNaN(value)) one.last = one.node.isDelta ? one.last + value : value;
  }

  #end({ series }: LiveSeries, at: bigint): void {
    if (isNumeric(series)) this.#tables.end(series, at);
    else if (isHistogram(series)) passHistograms(this.#next, createHistogramEnding([series], at));
  }

  #forward(table: Table): void {
    // Series end even if a consumer has no room.
    if (table.values.length === 0) {
      this.#next.consume(table);
      return;
    }
    this.#isRefused ||= !this.#next.consume(table);
    if (this.#isRefused) return;
    this.#undo.forget(this.#rowFrom);
    this.#rowFrom = 0;
  }

  /** Rolls back points that were not forwarded: none, unless a table was refused. */
  #takeBack(): void {
    this.#undo.takeBack();
    this.#tables.dropRows();
  }
}

function hasFallen({ node, last }: LiveSeries, value: number): boolean {
  return value < last && node.kind === 'counter' && !node.isDelta;
}
