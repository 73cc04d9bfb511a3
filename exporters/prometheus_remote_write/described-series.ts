import { createPlans } from '../../src/model/plan.js';
import type { AnySeries, Series } from '../../src/model/series.js';
import { isHistogram, type Entry, type LabelTable } from './label-table.js';
import { RequestWriter, type SeriesHeader } from './request-writer.js';
import { SeriesHeaders } from './series-headers.js';
import { SymbolTable } from './symbols.js';

const nsPerMs = 1_000_000n;
/** New series that are described in one step: some tenths of a millisecond. */
const seriesPerStep = 16;
const manySeries = 256;
/** With more texts, a new table is started: most belong to series that have ended. */
const maxSymbols = 200_000;

/** A table column in requests. */
export interface Column {
  readonly entry: Entry;
  readonly header: SeriesHeader;
  readonly startMs: number;
  readonly index: number;
}

/**
 * Series as described in requests, by numbers of shared texts, and the writer of requests with these texts.
 * Everything is reset when there are too many texts.
 */
export class DescribedSeries {
  readonly #labels: LabelTable;
  /** Lists of series that are all described. */
  #described = new WeakSet<readonly AnySeries[]>();
  #symbols = new SymbolTable();
  #headers = new SeriesHeaders(this.#symbols);
  #writer = new RequestWriter(this.#symbols);
  #columnsOf = this.#createPlans();

  constructor(labels: LabelTable) {
    this.#labels = labels;
  }

  get headers(): SeriesHeaders {
    return this.#headers;
  }

  get writer(): RequestWriter {
    return this.#writer;
  }

  /** The columns of a table with these series, without those that are not published. */
  columnsOf(series: readonly Series[]): readonly Column[] {
    return this.#columnsOf(series);
  }

  /** Describes the new series among many. @returns whether there were any */
  *describe(all: readonly AnySeries[]): Generator<void, boolean> {
    // Few series are described in one step.
    if (all.length < manySeries || this.#described.has(all)) return false;
    for (const [i, series] of all.entries()) {
      const entry = this.#labels.entryOf(series);
      if (entry !== undefined && !isHistogram(series)) this.#headers.of(entry);
      if (i % seriesPerStep === seriesPerStep - 1) yield;
    }
    this.#described.add(all);
    yield;
    return true;
  }

  /** Resets everything when there are too many texts. No request may be partly written then. */
  limit(): void {
    if (this.#symbols.size <= maxSymbols) return;
    this.#described = new WeakSet();
    this.#symbols = new SymbolTable();
    this.#headers = new SeriesHeaders(this.#symbols);
    this.#writer = new RequestWriter(this.#symbols);
    this.#columnsOf = this.#createPlans();
  }

  #createPlans(): (series: readonly Series[]) => readonly Column[] {
    return createPlans((all) =>
      all.flatMap((series, index) => {
        const entry = this.#labels.entryOf(series);
        if (entry === undefined) return [];
        return [{ entry, index, header: this.#headers.of(entry), startMs: startOf(series) }];
      }),
    );
  }
}

/** When a counter was 0, in Unix milliseconds; 0 for series without a start. */
export function startOf({ metric, start }: AnySeries): number {
  const hasStart = metric.kind !== 'gauge' && metric.kind !== 'updowncounter';
  return hasStart ? Number(start / nsPerMs) : 0;
}
