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
import { SeriesCourse, UndoLog } from './series-course.js';
import type { SeriesRegistry } from './series-registry.js';

/** Rows of a table: what takes a table holds the main thread for a few milliseconds. */
const maxRows = 1000;

/** Forwards histograms as tables, with deltas added up and resets as new series. */
export class HistogramWriter {
  readonly #next: Consumer;
  readonly #course: SeriesCourse;
  readonly #undo = new UndoLog();
  readonly #rows = new HistogramRows();
  /** The series that have a row in the table that is being made. */
  readonly #shown = new Set<LiveSeries>();
  #ended: HistogramSeries[] = [];
  /** Of the table that is being made: the instant of its first row. */
  #high = 0;
  #low = 0;
  readonly #arrays = new SeriesArrays<HistogramSeries>();
  #isRefused = false;

  constructor(registry: SeriesRegistry, next: Consumer) {
    this.#next = next;
    this.#course = new SeriesCourse(registry, (old, high, low) => this.#end(old, high, low));
  }

  /**
   * Forwards the histograms of a request. The caller may let others run whenever this yields.
   * @returns false when a table was refused: it and what would have followed are as if they had not been sent
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
    // Instants that are months apart have no exact difference.
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
    // Points of histograms have series of histograms.
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
    // What is in a table ends after it.
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
      // What ended has ended, whether or not a consumer has room.
      if (rows.series.length > 0 && ended.length > 0)
        passHistograms(this.#next, createHistogramEnding(ended, rows.epoch));
    }
  }

  /** Makes a table of the rows. The array of series is the same object while the set is. */
  #takeRows(): HistogramTable {
    this.#shown.clear();
    const rows = this.#rows.take(joinHalves(this.#high, this.#low));
    return rows.series.length === 0 ? rows : { ...rows, series: this.#arrays.find(rows.series) };
  }

  /** Takes back what was not taken: nothing, unless a table was refused. */
  #takeBack(): void {
    this.#undo.takeBack();
    this.#takeRows();
    this.#flush();
  }
}

/** @returns the row as it is to be forwarded: of deltas the sum of all until now */
function advance(one: LiveSeries, row: HistogramRow): HistogramRow {
  if (Number.isNaN(row.count)) return row;
  if (one.node.isDelta) return (one.total ??= new DeltaTotal()).add(row);
  one.last = row.count;
  return row;
}
