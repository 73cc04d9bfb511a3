import { HistogramRows, type HistogramRow, type HistogramTable } from '../../src/model/histogram-table.js';
import { findOrAdd } from '../../src/model/plan.js';
import type { HistogramSeries } from '../../src/model/series.js';
import { isBefore, type Halves, type LiveSeries } from './live-series.js';
import { Numbers } from './numbers.js';

/** The points of one instant: the first and the last one, by their numbers. */
export interface Row {
  high: number;
  low: number;
  first: number;
  last: number;
}

/** Room for more points than these is not kept for the next request. */
const maxKept = 100_000;

/** The points of a request by their instants. The next request gets the same room. */
export class Rows {
  /** The points, in the order of the request. */
  series: LiveSeries[] = [];
  #values = new Numbers();
  /** The number of the next point of the same instant; -1: none. */
  #next = new Numbers();
  #rows: Row[] = [];
  /** How many of the rows are of this request. */
  #count = 0;
  #row = 0;
  #isAscending = true;
  /** Numbers of rows by high and low half, as soon as one was looked for that is not where it was expected. */
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
    // What ended is not to be kept by what was sent last. Nothing reads beyond the length.
    (this.series as unknown[]).fill(undefined, 0, length);
    this.#values.length = this.#next.length = this.#count = this.#row = this.#indexed = 0;
    this.#isAscending = true;
    this.#byTime.clear();
    if (length <= maxKept) return;
    [this.series, this.#rows] = [[], []];
    [this.#values, this.#next] = [new Numbers(), new Numbers()];
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

  /** The rows, the earliest first. */
  list(): readonly Row[] {
    const rows = this.#rows.slice(0, this.#count);
    return this.#isAscending ? rows : rows.toSorted((a, b) => a.high - b.high || a.low - b.low);
  }

  /** Instants are those of the point before, or in the same order as those of the series before. */
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
