import type { HistogramRow, HistogramTable } from '../model/histogram-table.js';
import type { AnySeries, HistogramSeries, Series } from '../model/series.js';
import { SeriesArrays } from '../model/series-arrays.js';
import { createEnding, type Table } from '../model/table.js';
import { HistogramAssembler } from './histogram-assembler.js';
import { isHistogramSeries, isNumberSeries, SeriesBook } from './series-book.js';

/** Rows that a table has at most. */
const maxRows = 1024;

/** A table that grows row by row. */
interface Growing {
  readonly series: readonly Series[];
  readonly epoch: bigint;
  readonly offsets: number[];
  readonly values: number[];
}

/**
 * Makes tables of points in the order in which they were recorded: points of one instant are a row, rows that follow
 * each other and have the same series are a table. The array of series is the same object while the set is.
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

  /** Takes a point. NaN: no reading. */
  add(series: Series, at: bigint, value: number): void {
    if (this.#ended.length > 0) this.flush();
    if (at !== this.#at || this.#rowSet.has(series)) this.#endRow();
    this.#at = at;
    this.#rowSeries.push(series);
    this.#rowSet.add(series);
    this.#rowValues.push(value);
  }

  /** Takes note that a series ended. */
  end(series: Series, at: bigint): void {
    if (this.#rowSeries.length > 0 || this.#growing || at !== this.#at) this.flush();
    this.#at = at;
    this.#ended.push(series);
  }

  /** Forgets the rows that wait, and passes on what ended. */
  dropRows(): void {
    this.#rowSeries = [];
    this.#rowValues = [];
    this.#rowSet.clear();
    this.#growing = undefined;
    this.flush();
  }

  /** Passes on what waits. */
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

/** Where what was read goes, and reports about what could not be read. */
export interface Sink {
  table(table: Table): void;
  histograms(table: HistogramTable): void;
  /** A line or row is wrong: in words, without its place. */
  malformed(reason: string): void;
  /** Points of a kind that tables do not have, say a summary. */
  unsupported(kind: string, points: number): void;
}

/** Turns what a file says of points into tables with series of one identity each. */
export class PointStream {
  readonly book = new SeriesBook();
  readonly #assembler: TableAssembler;
  readonly #histograms: HistogramAssembler;

  constructor(sink: Pick<Sink, 'table' | 'histograms'>) {
    this.#assembler = new TableAssembler((table) => sink.table(table));
    this.#histograms = new HistogramAssembler((table) => sink.histograms(table));
  }

  /** Finds the series of a point; one whose place it takes ends. */
  open<S extends AnySeries>(record: S, at: bigint): S {
    const { series, replaced } = this.book.open(record);
    if (replaced) this.#end(replaced, at);
    return series;
  }

  /** Takes a point of a series. NaN: no reading. */
  add(series: Series, at: bigint, value: number): void {
    this.#histograms.flush();
    this.#assembler.add(series, at, value);
  }

  /** Takes a histogram of a series. */
  addHistogram(series: HistogramSeries, at: bigint, row: HistogramRow): void {
    this.#assembler.flush();
    this.#histograms.add(series, at, row);
  }

  /** Takes note that the series like this one ended. */
  end(record: AnySeries, at: bigint): void {
    const series = this.book.close(record);
    if (series) this.#end(series, at);
  }

  /** Passes on what waits: what follows is a table of its own. */
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
