import { HistogramRows, type HistogramRow, type HistogramTable } from '../../src/model/histogram-table.js';
import { findOrAdd } from '../../src/model/plan.js';
import type { HistogramSeries } from '../../src/model/series.js';
import { isBefore, type Halves, type LiveSeries } from './live-series.js';
import { maxKept, Numbers } from './numbers.js';

/** The points with one timestamp: the indices of the first and the last one. */
export interface Row {
  high: number;
  low: number;
  first: number;
  last: number;
}

/** The points of a request by timestamp. Its capacity is reused for the next request. */
export class Rows {
  /** The points, in the order of the request. */
  series: LiveSeries[] = [];
  readonly #values = new Numbers();
  /** The index of the next point with the same timestamp; -1: none. */
  readonly #next = new Numbers();
  #rows: Row[] = [];
  /** The number of rows of this request. */
  #count = 0;
  #row = 0;
  #isAscending = true;
  /** Indices of rows by high and low half of the timestamp. Created when a row is not where it was expected. */
  readonly #byTime = new Map<number, Map<number, number>>();
  #indexed = 0;

  get values(): Float64Array {
    return this.#values.values;
  }

  get next(): Float64Array {
    return this.#next.values;
  }

  clear(): void {
    const { length } = this.#values;
    // Releases series that have ended. Elements beyond the length are not read.
    (this.series as unknown[]).fill(undefined, 0, length);
    if (length > maxKept) [this.series, this.#rows] = [[], []];
    this.#values.clear();
    this.#next.clear();
    this.#count = this.#row = this.#indexed = 0;
    this.#isAscending = true;
    this.#byTime.clear();
  }

  /** Adds a point. NaN: no reading. */
  add(series: LiveSeries, high: number, low: number, value: number): void {
    const { length } = this.#values;
    this.series[length] = series;
    this.#values.push(value);
    this.#next.push(-1);
    const row = this.#find(high, low);
    if (row.first < 0) row.first = length;
    else this.#next.values[row.last] = length;
    row.last = length;
  }

  /** The rows, in order of time. */
  list(): readonly Row[] {
    const rows = this.#rows.slice(0, this.#count);
    return this.#isAscending ? rows : rows.toSorted((a, b) => a.high - b.high || a.low - b.low);
  }

  /** A timestamp is usually that of the previous point, or the next one in the order of the previous series. */
  #find(high: number, low: number): Row {
    const rows = this.#rows;
    for (let next = this.#row; next <= this.#row + 1 && next < this.#count; next += 1) {
      if (isAt(rows[next], high, low)) return this.#take(next);
    }
    if (this.#count === 0) return this.#begin(high, low);
    if (isAt(rows[0], high, low)) return this.#take(0);
    const last = rows[this.#count - 1];
    if (this.#isAscending && isBefore(last.high, last.low, high, low)) return this.#begin(high, low);
    return this.#look(high, low);
  }

  #take(number: number): Row {
    this.#row = number;
    return this.#rows[number];
  }

  #begin(high: number, low: number): Row {
    this.#row = this.#count;
    this.#count += 1;
    if (this.#row === this.#rows.length) this.#rows.push({ high, low, first: -1, last: -1 });
    const row = this.#rows[this.#row];
    row.high = high;
    row.low = low;
    row.first = -1;
    return row;
  }

  #look(high: number, low: number): Row {
    for (; this.#indexed < this.#count; this.#indexed += 1) this.#index(this.#rows[this.#indexed]);
    const known = this.#byTime.get(high)?.get(low);
    if (known !== undefined) return this.#take(known);
    this.#isAscending = false;
    return this.#begin(high, low);
  }

  #index(row: Row): void {
    findOrAdd(this.#byTime, row.high, () => new Map<number, number>()).set(row.low, this.#indexed);
  }
}

function isAt(row: Row, high: number, low: number): boolean {
  return row.low === low && row.high === high;
}

/** The histograms of a request, in its order. */
export class PendingHistograms {
  readonly live: LiveSeries[] = [];
  readonly high: number[] = [];
  readonly low: number[] = [];
  readonly #rows = new HistogramRows();

  add(one: LiveSeries, { high, low }: Halves, row: HistogramRow): void {
    this.live.push(one);
    this.high.push(high);
    this.low.push(low);
    // Histogram points belong to histogram series: a metric with the same name and another kind has other
    // series.
    this.#rows.add(one.series as HistogramSeries, 0, row);
  }

  /** Returns what was added, as rows with timestamps in `high` and `low`. */
  take(): HistogramTable {
    return this.#rows.take(0n);
  }
}
