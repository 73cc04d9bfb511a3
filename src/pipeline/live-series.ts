import { passHistograms, type Consumer } from '../component/consumer.js';
import { createHistogramEnding, type HistogramTable } from '../model/histogram-table.js';
import type { HistogramSeries, Series } from '../model/series.js';
import { createEnding, type Table } from '../model/table.js';

/** A source has one array of series per sampler; others make a new one for each table. */
const maxArrays = 64;

/** The live series in recent tables of one kind. */
class SeriesSet<S extends object> {
  readonly #known = new WeakSet<readonly S[]>();
  readonly #ended = new WeakSet<S>();
  /** Weak references: an array that its source has dropped contains no live series. */
  readonly #arrays: WeakRef<readonly S[]>[] = [];

  note(series: readonly S[], ended: readonly S[] | undefined): void {
    if (!this.#known.has(series)) this.#add(series);
    ended?.forEach((one) => this.#ended.add(one));
  }

  list(): ReadonlySet<S> {
    const all = this.#arrays.flatMap((reference) => reference.deref() ?? []);
    return new Set(all.filter((one) => !this.#ended.has(one)));
  }

  #add(series: readonly S[]): void {
    this.#known.add(series);
    this.#arrays.push(new WeakRef(series));
    if (this.#arrays.length > maxArrays) this.#arrays.shift();
  }
}

/** Forwards tables and records which of their series are live, in order to end them when their source is gone. */
export class LiveSeries implements Consumer {
  readonly #next: Consumer;
  readonly #series = new SeriesSet<Series>();
  readonly #histograms = new SeriesSet<HistogramSeries>();

  constructor(next: Consumer) {
    this.#next = next;
  }

  consume(table: Table): boolean {
    this.#series.note(table.series, table.ended);
    return this.#next.consume(table);
  }

  consumeHistograms(table: HistogramTable): boolean {
    this.#histograms.note(table.series, table.ended);
    return passHistograms(this.#next, table);
  }

  /**
   * Ends every live series for downstream consumers. May be called again.
   * @param others series that continue because they have another source
   */
  end(at: bigint, others?: LiveSeries): void {
    const series = leaveOut(this.#series, others && others.#series);
    const histograms = leaveOut(this.#histograms, others && others.#histograms);
    if (series.length > 0) this.consume(createEnding(series, at));
    if (histograms.length > 0) this.consumeHistograms(createHistogramEnding(histograms, at));
  }
}

function leaveOut<S extends object>(all: SeriesSet<S>, others?: SeriesSet<S>): readonly S[] {
  const left = others?.list();
  return [...all.list()].filter((one) => left?.has(one) !== true);
}
