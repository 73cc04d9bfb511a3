import type { Series } from '../model/series.js';
import type { Table } from '../model/table.js';
import { SeriesBook } from './series-book.js';
import { TableAssembler } from './table-assembler.js';

/** Where what was read goes, and what is told about what could not be read. */
export interface Sink {
  table(table: Table): void;
  /** A line or row is wrong: in words, without its place. */
  malformed(reason: string): void;
  /** Points of a kind that tables do not have, say a histogram. */
  unsupported(kind: string, points: number): void;
}

/** Turns what a file says of points into tables with series of one identity each. */
export class PointStream {
  readonly book = new SeriesBook();
  readonly #assembler: TableAssembler;

  constructor(sink: Pick<Sink, 'table'>) {
    this.#assembler = new TableAssembler((table) => sink.table(table));
  }

  /** Finds the series of a point; one whose place it takes ends. */
  open(record: Series, at: bigint): Series {
    const { series, replaced } = this.book.open(record);
    if (replaced) this.#assembler.end(replaced, at);
    return series;
  }

  /** Takes a point of a series. NaN: no reading. */
  add(series: Series, at: bigint, value: number): void {
    this.#assembler.add(series, at, value);
  }

  /** Takes note that the series like this one ended. */
  end(record: Series, at: bigint): void {
    const series = this.book.close(record);
    if (series) this.#assembler.end(series, at);
  }

  /** Passes on what waits: what follows is a table of its own. */
  flush(): void {
    this.#assembler.flush();
  }
}
