import { isSameLayout } from '../model/add-histograms.js';
import {
  createHistogramEnding,
  HistogramRows,
  type HistogramLayout,
  type HistogramRow,
  type HistogramTable,
} from '../model/histogram-table.js';
import type { HistogramSeries } from '../model/series.js';

/** Maximum rows per table. */
const maxRows = 1024;

/**
 * Reuses the layout object of a series as long as the layout is the same, so that what was computed from it is
 * kept.
 */
export class KnownLayouts {
  readonly #known = new WeakMap<HistogramSeries, HistogramLayout>();

  /** @returns the last layout of the series, if it is equal */
  find(series: HistogramSeries, layout: HistogramLayout): HistogramLayout {
    const known = this.#known.get(series);
    if (known !== undefined && isSameLayout(known, layout)) return known;
    this.#known.set(series, layout);
    return layout;
  }
}

/** Makes tables of histograms in the order in which they were recorded. */
export class HistogramAssembler {
  readonly #emit: (table: HistogramTable) => void;
  readonly #rows = new HistogramRows();
  readonly #layouts = new KnownLayouts();
  #epoch = 0n;
  #ended: HistogramSeries[] = [];
  #endedAt = 0n;

  constructor(emit: (table: HistogramTable) => void) {
    this.#emit = emit;
  }

  add(series: HistogramSeries, at: bigint, row: HistogramRow): void {
    const offset = Number(at - this.#epoch);
    const fits = this.#rows.length > 0 && this.#rows.length < maxRows && this.#ended.length === 0;
    if (!fits || offset < 0 || offset > Number.MAX_SAFE_INTEGER) {
      this.flush();
      this.#epoch = at;
    }
    row.layout = this.#layouts.find(series, row.layout);
    this.#rows.add(series, Number(at - this.#epoch), row);
  }

  /** Records that a series ended. */
  end(series: HistogramSeries, at: bigint): void {
    if (this.#rows.length > 0 || at !== this.#endedAt) this.flush();
    this.#endedAt = at;
    this.#ended.push(series);
  }

  /** Forwards the waiting rows. */
  flush(): void {
    if (this.#rows.length > 0) this.#emit(this.#rows.take(this.#epoch));
    const ended = this.#ended;
    if (ended.length === 0) return;
    this.#ended = [];
    this.#emit(createHistogramEnding(ended, this.#endedAt));
  }
}
