import { createPlans } from '../../src/model/plan.js';
import type { AnySeries, Series } from '../../src/model/series.js';
import { Heads } from './heads.js';
import { isHistogram, type Entry, type LabelBook } from './label-book.js';
import { RequestWriter, type SeriesHead } from './request-writer.js';
import { SymbolBook } from './symbols.js';

const nsPerMs = 1_000_000n;
/** New series that are described at once: some tenths of a millisecond. */
const seriesPerStep = 16;
const manySeries = 256;
/** With more texts than these, a new book begins: most are of series that have ended. */
const maxSymbols = 200_000;

/** A column of a table as requests have it. */
export interface Column {
  readonly entry: Entry;
  readonly head: SeriesHead;
  readonly startMs: number;
  readonly index: number;
}

/**
 * Series as requests describe them, by numbers of texts that they share, and the writer of requests that have these texts. All of
 * it begins again once there are too many texts.
 */
export class DescribedSeries {
  readonly #labels: LabelBook;
  /** Lists of series all of which are described. */
  #described = new WeakSet<readonly AnySeries[]>();
  #symbols = new SymbolBook();
  #heads = new Heads(this.#symbols);
  #writer = new RequestWriter(this.#symbols);
  #columnsOf = this.#createPlans();

  constructor(labels: LabelBook) {
    this.#labels = labels;
  }

  get heads(): Heads {
    return this.#heads;
  }

  get writer(): RequestWriter {
    return this.#writer;
  }

  /** The columns of a table with these series; those that are not published are left out. */
  columnsOf(series: readonly Series[]): readonly Column[] {
    return this.#columnsOf(series);
  }

  /** Describes what is not known yet of many series. @returns whether that was any */
  *describe(all: readonly AnySeries[]): Generator<void, boolean> {
    // What is short is not interrupted.
    if (all.length < manySeries || this.#described.has(all)) return false;
    for (const [i, series] of all.entries()) {
      const entry = this.#labels.entryOf(series);
      if (entry !== undefined && !isHistogram(series)) this.#heads.of(entry);
      if (i % seriesPerStep === seriesPerStep - 1) yield;
    }
    this.#described.add(all);
    yield;
    return true;
  }

  /** Begins again where there are too many texts. No request may be half written then. */
  limit(): void {
    if (this.#symbols.size <= maxSymbols) return;
    this.#described = new WeakSet();
    this.#symbols = new SymbolBook();
    this.#heads = new Heads(this.#symbols);
    this.#writer = new RequestWriter(this.#symbols);
    this.#columnsOf = this.#createPlans();
  }

  #createPlans(): (series: readonly Series[]) => readonly Column[] {
    return createPlans((all) =>
      all.flatMap((series, index) => {
        const entry = this.#labels.entryOf(series);
        if (entry === undefined) return [];
        return [{ entry, index, head: this.#heads.of(entry), startMs: startOf(series) }];
      }),
    );
  }
}

/** When a counter was 0, in Unix milliseconds; 0 for what has no start. */
export function startOf({ metric, start }: AnySeries): number {
  const hasStart = metric.kind !== 'gauge' && metric.kind !== 'updowncounter';
  return hasStart ? Number(start / nsPerMs) : 0;
}
