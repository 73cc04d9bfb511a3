import { passHistograms, type Consumer } from '../../src/component/consumer.js';
import {
  createHistogramEnding,
  HistogramRow,
  HistogramRows,
  type HistogramTable,
} from '../../src/model/histogram-table.js';
import type { HistogramSeries } from '../../src/model/series.js';
import { SeriesArrays } from '../../src/model/series-arrays.js';
import { createEnding } from '../../src/model/table.js';
import {
  DeltaTotal,
  isHistogram,
  isNumeric,
  joinHalves,
  subtractHalves,
  type LiveSeries,
} from './live-series.js';
import type { Rejections } from './rejections.js';
import type { PendingHistograms } from './rows.js';
import { SeriesLifecycle, UndoLog } from './series-lifecycle.js';
import type { SeriesRegistry } from './series-registry.js';

/** Maximum rows per table. Consumers of a table occupy the main thread for several milliseconds. */
const maxRows = 1000;

/** Forwards histograms as tables. Deltas are accumulated, and resets start new series. */
export class HistogramWriter {
  readonly #next: Consumer;
  readonly #course: SeriesLifecycle;
  readonly #undo = new UndoLog();
  readonly #rows = new HistogramRows();
  /** The series that have a row in the current table. */
  readonly #shown = new Set<LiveSeries>();
  #ended: HistogramSeries[] = [];
  /** Timestamp of the first row of the current table. */
  #high = 0;
  #low = 0;
  readonly #arrays = new SeriesArrays<HistogramSeries>();
  #isRefused = false;

  constructor(registry: SeriesRegistry, next: Consumer) {
    this.#next = next;
    this.#course = new SeriesLifecycle(registry, (old, high, low) => this.#end(old, high, low));
  }

  /**
   * Forwards the histograms of a request. The caller may run other work whenever this yields.
   * @returns false if a table was refused: then it and everything behind it are rolled back
   */
  *write(pending: PendingHistograms, rejections: Rejections): Generator<void, boolean> {
    if (pending.live.length === 0) return true;
    this.#isRefused = false;
    try {
      yield* this.#writeRows(pending, rejections);
      if (!this.#isRefused) this.#flush();
    } finally {
      this.#takeBack();
    }
    return !this.#isRefused;
  }

  *#writeRows(pending: PendingHistograms, rejections: Rejections): Generator<void> {
    const table = pending.take();
    const { live, high, low } = pending;
    const row = new HistogramRow();
    const order = [...live.keys()].toSorted((a, b) => high[a] - high[b] || low[a] - low[b]);
    for (const number of order) {
      this.#writeRow(
        live[number],
        row.read(table, number),
        { high: high[number], low: low[number] },
        rejections,
      );
      if (this.#isRefused) return;
      if (this.#rows.length < maxRows) continue;
      this.#flush();
      yield;
    }
  }

  #writeRow(
    sent: LiveSeries,
    row: HistogramRow,
    { high, low }: { readonly high: number; readonly low: number },
    rejections: Rejections,
  ): void {
    const one = this.#course.find(sent);
    const isReset = row.count < one.last && !one.node.isDelta;
    const reason = this.#course.refuse(one, isReset, high, low);
    if (reason !== undefined) {
      if (reason !== '') rejections.add(reason, 1, one.node.name);
      return;
    }
    // The difference between timestamps that are months apart is not exact.
    if (this.#offsetOf(high, low) > Number.MAX_SAFE_INTEGER) this.#flush();
    const current = this.#course.enter(one, isReset, high, low);
    this.#undo.add(current);
    current.high = high;
    current.low = low;
    current.isBegun = true;
    this.#add(current, advance(current, row));
  }

  #add(one: LiveSeries, row: HistogramRow): void {
    if (this.#rows.length === 0) this.#begin(one.high, one.low);
    // Histogram points belong to histogram series.
    this.#rows.add(one.series as HistogramSeries, this.#offsetOf(one.high, one.low), row);
    this.#shown.add(one);
  }

  #begin(high: number, low: number): void {
    this.#high = high;
    this.#low = low;
  }

  #offsetOf(high: number, low: number): number {
    return subtractHalves(high, low, this.#high, this.#low);
  }

  #end(old: LiveSeries, high: number, low: number): void {
    const { series } = old;
    if (isNumeric(series)) this.#next.consume(createEnding([series], joinHalves(high, low)));
    if (!isHistogram(series)) return;
    // The table must be forwarded before one of its series ends.
    if (this.#shown.has(old)) this.#flush();
    if (this.#rows.length === 0) this.#begin(high, low);
    this.#ended.push(series);
  }

  #flush(): void {
    if (this.#rows.length === 0 && this.#ended.length === 0) return;
    const rows = this.#takeRows();
    const ended = this.#ended.splice(0);
    const isTaken = passHistograms(this.#next, { ...rows, ...(ended.length > 0 && { ended }) });
    if (isTaken) this.#undo.forget(this.#undo.length);
    else {
      this.#isRefused ||= rows.series.length > 0;
      // Series end even if a consumer has no room.
      if (rows.series.length > 0 && ended.length > 0)
        passHistograms(this.#next, createHistogramEnding(ended, rows.epoch));
    }
  }

  /** Creates a table of the rows. As long as the series are the same, their array is the same object. */
  #takeRows(): HistogramTable {
    this.#shown.clear();
    const rows = this.#rows.take(joinHalves(this.#high, this.#low));
    return rows.series.length === 0 ? rows : { ...rows, series: this.#arrays.find(rows.series) };
  }

  /** Rolls back rows that were not forwarded: none, unless a table was refused. */
  #takeBack(): void {
    this.#undo.takeBack();
    this.#takeRows();
    this.#flush();
  }
}

/** @returns the row to forward; for deltas, the accumulated sum */
function advance(one: LiveSeries, row: HistogramRow): HistogramRow {
  if (Number.isNaN(row.count)) return row;
  if (one.node.isDelta) return (one.total ??= new DeltaTotal()).add(row);
  one.last = row.count;
  return row;
}
