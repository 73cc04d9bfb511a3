import { HistogramRows, type HistogramRow, type HistogramTable } from '../../src/model/histogram-table.js';
import { findOrAdd } from '../../src/model/plan.js';
import type { HistogramSeries } from '../../src/model/series.js';
import type { Halves, LiveSeries } from './live-series.js';

/** The points of one instant, in the order of the request. */
export interface Row {
  readonly high: number;
  readonly low: number;
  readonly series: LiveSeries[];
  readonly values: number[];
}

/** The points of a request by their instants. */
export class Rows {
  readonly #rows: Row[] = [];
  readonly #byTime = new Map<number, Map<number, Row>>();
  #row = 0;

  /** Adds a point. NaN: no reading. */
  add(series: LiveSeries, high: number, low: number, value: number): void {
    const row = this.#find(high, low);
    row.series.push(series);
    row.values.push(value);
  }

  /** The rows, the earliest first. */
  list(): readonly Row[] {
    return this.#rows.toSorted((a, b) => a.high - b.high || a.low - b.low);
  }

  /** Instants are those of the point before, or in the same order as those of the series before. */
  #find(high: number, low: number): Row {
    const rows = this.#rows;
    for (let next = this.#row; next <= this.#row + 1 && next < rows.length; next += 1) {
      if (isAt(rows[next], high, low)) return this.#take(next);
    }
    if (rows.length > 0 && isAt(rows[0], high, low)) return this.#take(0);
    return this.#look(high, low);
  }

  #take(number: number): Row {
    this.#row = number;
    return this.#rows[number];
  }

  #look(high: number, low: number): Row {
    const rows = findOrAdd(this.#byTime, high, () => new Map<number, Row>());
    return findOrAdd(rows, low, () => {
      const row: Row = { high, low, series: [], values: [] };
      this.#row = this.#rows.push(row) - 1;
      return row;
    });
  }
}

function isAt(row: Row, high: number, low: number): boolean {
  return row.low === low && row.high === high;
}

/** Histograms of a request, in its order. */
export class PendingHistograms {
  readonly live: LiveSeries[] = [];
  readonly high: number[] = [];
  readonly low: number[] = [];
  readonly #rows = new HistogramRows();

  add(one: LiveSeries, { high, low }: Halves, row: HistogramRow): void {
    this.live.push(one);
    this.high.push(high);
    this.low.push(low);
    // Points of histograms have series of histograms: metrics of the same name and another kind have others.
    this.#rows.add(one.series as HistogramSeries, 0, row);
  }

  /** What was added, as rows whose instants are in `high` and `low`. */
  take(): HistogramTable {
    return this.#rows.take(0n);
  }
}
