import type { HistogramRow, HistogramTable } from '../model/histogram-table.js';
import type { AnySeries, HistogramSeries, Series } from '../model/series.js';
import { SeriesArrays } from '../model/series-arrays.js';
import { createEnding, type Table } from '../model/table.js';
import { HistogramAssembler } from './histogram-assembler.js';
import { isHistogramSeries, isNumberSeries, RecordedSeries } from './recorded-series.js';

/** Maximum rows per table. */
const maxRows = 1024;

/** A table that grows row by row. */
interface Growing {
  readonly series: readonly Series[];
  readonly epoch: bigint;
  readonly offsets: number[];
  readonly values: number[];
}

/**
 * Makes tables of points in the order in which they were recorded: points of one instant form a row, and
 * consecutive rows with the same series form a table. The array of series is the same object as long as the set
 * of series is the same.
 */
export class TableAssembler {
  readonly #emit: (table: Table) => void;
  readonly #arrays = new SeriesArrays<Series>();
  #at = 0n;
  #rowSeries: Series[] = [];
  #rowSet = new Set<Series>();
  #rowValues: number[] = [];
  #growing: Growing | undefined;
  #ended: Series[] = [];

  constructor(emit: (table: Table) => void) {
    this.#emit = emit;
  }

  /** Adds a point. NaN: no reading. */
  add(series: Series, at: bigint, value: number): void {
    if (this.#ended.length > 0) this.flush();
    if (at !== this.#at || this.#rowSet.has(series)) this.#endRow();
    this.#at = at;
    this.#rowSeries.push(series);
    this.#rowSet.add(series);
    this.#rowValues.push(value);
  }

  /** Records that a series ended. */
  end(series: Series, at: bigint): void {
    if (this.#rowSeries.length > 0 || this.#growing || at !== this.#at) this.flush();
    this.#at = at;
    this.#ended.push(series);
  }

  /** Passes on the waiting rows. */
  flush(): void {
    this.#endRow();
    this.#endTable();
    const ended = this.#ended;
    if (ended.length === 0) return;
    this.#ended = [];
    this.#emit(createEnding(ended, this.#at));
  }

  #endRow(): void {
    const series = this.#rowSeries;
    if (series.length === 0) return;
    this.#append(this.#arrays.find(series), this.#rowValues);
    this.#rowSeries = [];
    this.#rowValues = [];
    this.#rowSet.clear();
  }

  #append(series: readonly Series[], values: readonly number[]): void {
    const growing = this.#growing;
    const offset = growing === undefined ? 0 : Number(this.#at - growing.epoch);
    const last = growing?.offsets.at(-1) ?? 0;
    const isExact = offset <= Number.MAX_SAFE_INTEGER;
    const fits = growing?.series === series && offset > last && isExact && growing.offsets.length < maxRows;
    if (growing === undefined || !fits) {
      this.#endTable();
      this.#growing = { series, epoch: this.#at, offsets: [0], values: [...values] };
      return;
    }
    growing.offsets.push(offset);
    for (const value of values) growing.values.push(value);
  }

  #endTable(): void {
    const growing = this.#growing;
    if (growing === undefined) return;
    this.#growing = undefined;
    const { series, epoch, offsets, values } = growing;
    this.#emit({ series, epoch, offsets: new Float64Array(offsets), values: new Float64Array(values) });
  }
}

/** Receives what was read, and reports about input that could not be read. */
export interface Sink {
  table(table: Table): void;
  histograms(table: HistogramTable): void;
  /** A line or row is malformed: the reason, without its position. */
  malformed(reason: string): void;
  /** Points of a kind that tables do not support, for example summaries. */
  unsupported(kind: string, points: number): void;
}

/** Converts the points of a file to tables in which each series is one object. */
export class PointStream {
  readonly book = new RecordedSeries();
  readonly #assembler: TableAssembler;
  readonly #histograms: HistogramAssembler;

  constructor(sink: Pick<Sink, 'table' | 'histograms'>) {
    this.#assembler = new TableAssembler((table) => sink.table(table));
    this.#histograms = new HistogramAssembler((table) => sink.histograms(table));
  }

  /** Finds the series of a point; ends the series that it replaces. */
  open<S extends AnySeries>(record: S, at: bigint): S {
    const { series, replaced } = this.book.open(record);
    if (replaced) this.#end(replaced, at);
    return series;
  }

  /** Adds a point of a series. NaN: no reading. */
  add(series: Series, at: bigint, value: number): void {
    this.#histograms.flush();
    this.#assembler.add(series, at, value);
  }

  /** Adds a histogram of a series. */
  addHistogram(series: HistogramSeries, at: bigint, row: HistogramRow): void {
    this.#assembler.flush();
    this.#histograms.add(series, at, row);
  }

  /** Records that the series equal to this one ended. */
  end(record: AnySeries, at: bigint): void {
    const series = this.book.close(record);
    if (series) this.#end(series, at);
  }

  /** Passes on the waiting rows: the next ones are in a new table. */
  flush(): void {
    this.#assembler.flush();
    this.#histograms.flush();
  }

  /** Tables of both kinds stay in the order of the recording. */
  #end(series: AnySeries, at: bigint): void {
    if (isNumberSeries(series)) {
      this.#histograms.flush();
      this.#assembler.end(series, at);
    } else if (isHistogramSeries(series)) {
      this.#assembler.flush();
      this.#histograms.end(series, at);
    }
  }
}
