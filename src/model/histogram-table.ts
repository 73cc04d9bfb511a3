import type { HistogramSeries } from './series.js';

/** Buckets between bounds, which ascend: one up to the first bound, itself included, and so on, one above the last. */
export interface ExplicitLayout {
  readonly kind: 'histogram';
  readonly bounds: Float64Array;
}

/**
 * Buckets whose bounds grow by one factor: index i holds values above f^i and up to f^(i+1), where f = 2^(2^-scale).
 * The counts of a row are those of zero, of the positive buckets and of the negative ones, each in the order of their
 * indexes.
 */
export interface ExponentialLayout {
  readonly kind: 'exponential_histogram';
  readonly scale: number;
  /** Values from minus this to this are counted as zero. */
  readonly zeroThreshold: number;
  /** The index of the first positive bucket, and how many there are. */
  readonly positiveOffset: number;
  readonly positiveCount: number;
  readonly negativeOffset: number;
  readonly negativeCount: number;
}

/** How the values of a row are divided. One object for as long as it is the same: what is computed of it is kept. */
export type HistogramLayout = ExplicitLayout | ExponentialLayout;

/**
 * Histograms of some series. A row is one histogram at one instant: series differ in their buckets and have instants of
 * their own. Cumulative from the start of the series, as counters are. Immutable once passed on.
 */
export interface HistogramTable {
  /** Of each row. The same array object for as long as rows are of the same series in the same order. */
  readonly series: readonly HistogramSeries[];
  /** Unix time in nanoseconds of offset 0. */
  readonly epoch: bigint;
  /** Of each row: nanoseconds after `epoch`, whole numbers. Those of one series ascend. */
  readonly offsets: Float64Array;
  /** Of each row: how many values were counted. NaN: no reading; then it has no buckets. */
  readonly counts: Float64Array;
  /** Of each row: the sum of the values, their minimum and their maximum. NaN: unknown. */
  readonly sums: Float64Array;
  readonly minima: Float64Array;
  readonly maxima: Float64Array;
  /** Of each row. Its kind is that of the metric. */
  readonly layouts: readonly HistogramLayout[];
  /** The counts in the buckets of all rows. */
  readonly buckets: Float64Array;
  /** Of each row where its buckets begin, and at last where the last ones end. A row without any says no more than its count. */
  readonly bucketsFrom: Uint32Array;
  /** Series that will have no further row; a table may have no rows. */
  readonly ended?: readonly HistogramSeries[];
}

/** How many points a table holds, gaps included. */
export function countHistograms(table: HistogramTable): number {
  return table.series.length;
}

/** A table without rows that reports which series have ended. */
export function createHistogramEnding(ended: readonly HistogramSeries[], at: bigint): HistogramTable {
  return { ...new HistogramRows().take(at), ended };
}

/** The table with only these rows, in this order. What has ended is not carried over. */
export function selectHistograms(table: HistogramTable, rows: readonly number[]): HistogramTable {
  const kept = new HistogramRows();
  const row = new HistogramRow();
  for (const number of rows) {
    row.read(table, number);
    kept.add(table.series[number], table.offsets[number], row);
  }
  return kept.take(table.epoch);
}

/** What a row has besides its series and its instant. The object may be used for one row after the other. */
export class HistogramRow {
  count = NaN;
  sum = NaN;
  min = NaN;
  max = NaN;
  layout: HistogramLayout = bucketless;
  /** Valid until the next row is read. */
  buckets: Float64Array = noBuckets;

  /** Takes a row of a table. Its buckets are those of the table, not a copy. */
  read(table: HistogramTable, row: number): this {
    this.count = table.counts[row];
    this.sum = table.sums[row];
    this.min = table.minima[row];
    this.max = table.maxima[row];
    this.layout = table.layouts[row];
    this.buckets = table.buckets.subarray(table.bucketsFrom[row], table.bucketsFrom[row + 1]);
    return this;
  }

  /** Becomes a row without a reading. */
  clear(layout: HistogramLayout): this {
    this.count = this.sum = this.min = this.max = NaN;
    this.layout = layout;
    this.buckets = noBuckets;
    return this;
  }
}

const noBuckets = new Float64Array(0);

/** The layout of histograms that have a count, a sum and no buckets. */
export const bucketless: ExplicitLayout = { kind: 'histogram', bounds: noBuckets };

/** The layout of exponential histograms without a bucket but that of zero. */
export const bucketlessExponential: ExponentialLayout = {
  kind: 'exponential_histogram',
  scale: 0,
  zeroThreshold: 0,
  positiveOffset: 0,
  positiveCount: 0,
  negativeOffset: 0,
  negativeCount: 0,
};

const firstRows = 64;

/** Rows that will form a table. Memory is reused: a row allocates no object. */
export class HistogramRows {
  #series: HistogramSeries[] = [];
  #layouts: HistogramLayout[] = [];
  #offsets = new Float64Array(firstRows);
  #counts = new Float64Array(firstRows);
  #sums = new Float64Array(firstRows);
  #minima = new Float64Array(firstRows);
  #maxima = new Float64Array(firstRows);
  #bucketsFrom = new Uint32Array(firstRows + 1);
  #buckets = new Float64Array(16 * firstRows);

  get length(): number {
    return this.#series.length;
  }

  /** Adds a row and copies its buckets. */
  add(series: HistogramSeries, offset: number, row: HistogramRow): void {
    const number = this.#series.push(series) - 1;
    if (number === this.#offsets.length) this.#grow();
    this.#layouts.push(row.layout);
    this.#offsets[number] = offset;
    this.#counts[number] = row.count;
    this.#sums[number] = row.sum;
    this.#minima[number] = row.min;
    this.#maxima[number] = row.max;
    const from = this.#bucketsFrom[number];
    const to = from + row.buckets.length;
    while (to > this.#buckets.length) this.#buckets = widen(this.#buckets);
    this.#buckets.set(row.buckets, from);
    this.#bucketsFrom[number + 1] = to;
  }

  /**
   * Makes a table of the rows, and restarts without any.
   * @param epoch Unix time in nanoseconds of offset 0
   */
  take(epoch: bigint): HistogramTable {
    const rows = this.length;
    const table = {
      series: this.#series,
      epoch,
      offsets: this.#offsets.slice(0, rows),
      counts: this.#counts.slice(0, rows),
      sums: this.#sums.slice(0, rows),
      minima: this.#minima.slice(0, rows),
      maxima: this.#maxima.slice(0, rows),
      layouts: this.#layouts,
      buckets: this.#buckets.slice(0, this.#bucketsFrom[rows]),
      bucketsFrom: this.#bucketsFrom.slice(0, rows + 1),
    };
    this.#series = [];
    this.#layouts = [];
    return table;
  }

  #grow(): void {
    this.#offsets = widen(this.#offsets);
    this.#counts = widen(this.#counts);
    this.#sums = widen(this.#sums);
    this.#minima = widen(this.#minima);
    this.#maxima = widen(this.#maxima);
    const bucketsFrom = new Uint32Array(this.#offsets.length + 1);
    bucketsFrom.set(this.#bucketsFrom);
    this.#bucketsFrom = bucketsFrom;
  }
}

function widen(from: Float64Array): Float64Array<ArrayBuffer> {
  const wider = new Float64Array(2 * from.length);
  wider.set(from);
  return wider;
}
