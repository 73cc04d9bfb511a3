import { addHistogram, upperBound } from './add-histograms.js';
import {
  bucketlessExponential,
  HistogramRow,
  type ExplicitLayout,
  type ExponentialLayout,
} from './histogram-table.js';

/** Counts numbers of a period in buckets. Its memory is reused. */
export interface Distribution {
  /**
   * Counts a finite number; others are ignored. The number is passed in an array, since a number argument would
   * be allocated on the heap.
   */
  add(values: Float64Array, cell: number): void;
  clear(): void;
  /** Writes the counts. The buckets are valid until more is counted. */
  write(row: HistogramRow): void;
  /** Adds the counts to those of a row of the same kind, which may be without a reading. Allocates nothing if they fit. */
  addTo(total: HistogramRow): void;
}

/** Count, sum, minimum and maximum. */
class Summary {
  #count = 0;
  readonly #figures = Float64Array.of(0, Infinity, -Infinity);

  add(values: Float64Array, cell: number): void {
    const value = values[cell];
    const figures = this.#figures;
    this.#count += 1;
    figures[0] += value;
    if (value < figures[1]) figures[1] = value;
    if (value > figures[2]) figures[2] = value;
  }

  clear(): void {
    this.#count = 0;
    this.#figures[0] = 0;
    this.#figures[1] = Infinity;
    this.#figures[2] = -Infinity;
  }

  write(row: HistogramRow): void {
    const figures = this.#figures;
    row.count = this.#count;
    row.sum = figures[0];
    row.min = this.#count === 0 ? NaN : figures[1];
    row.max = this.#count === 0 ? NaN : figures[2];
  }
}

/** Buckets with given bounds; a value equal to a bound belongs to the bucket below. */
export class ExplicitDistribution implements Distribution {
  readonly #layout: ExplicitLayout;
  readonly #summary = new Summary();
  readonly #buckets: Float64Array;
  readonly #row = new HistogramRow();

  constructor(layout: ExplicitLayout) {
    this.#layout = layout;
    this.#buckets = new Float64Array(layout.bounds.length + 1);
  }

  add(values: Float64Array, cell: number): void {
    const value = values[cell];
    if (!Number.isFinite(value)) return;
    const { bounds } = this.#layout;
    let [from, to] = [0, bounds.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (bounds[middle] < value) from = middle + 1;
      else to = middle;
    }
    this.#buckets[from] += 1;
    this.#summary.add(values, cell);
  }

  clear(): void {
    this.#buckets.fill(0);
    this.#summary.clear();
  }

  write(row: HistogramRow): void {
    this.#summary.write(row);
    row.layout = this.#layout;
    row.buckets = this.#buckets;
  }

  addTo(total: HistogramRow): void {
    if (Number.isNaN(total.count)) {
      this.write(total);
      total.buckets = this.#buckets.slice();
      return;
    }
    this.write(this.#row);
    addHistogram(total, this.#row);
  }
}

/** Maximum number of buckets on each side of zero, as in the OpenTelemetry SDKs. */
const maxBuckets = 160;
/** Numbers closer to zero count as this, the smallest normal double: below it, bounds would coincide. */
const smallest = 2 ** -1022;
/** The largest scale, as in the OpenTelemetry SDKs. */
const maxScale = 20;

/**
 * Buckets with bounds that grow by a constant factor, the smallest with which all numbers fit. The scale starts
 * at its maximum; a number that does not fit doubles the width of all buckets, as often as needed.
 */
export class ExponentialDistribution implements Distribution {
  readonly #summary = new Summary();
  readonly #positive = new Side();
  readonly #negative = new Side();
  #scale = maxScale;
  #zeros = 0;
  /** Its layout and buckets are changed by each use, and the buckets may be followed by others. */
  readonly #row = new HistogramRow();
  readonly #layout: { -readonly [Key in keyof ExponentialLayout]: ExponentialLayout[Key] } = {
    ...bucketlessExponential,
  };
  #buckets = new Float64Array(16);

  add(values: Float64Array, cell: number): void {
    const value = values[cell];
    if (!Number.isFinite(value)) return;
    this.#summary.add(values, cell);
    if (value === 0) this.#zeros += 1;
    else this.#count(value > 0 ? this.#positive : this.#negative, values, cell);
  }

  clear(): void {
    this.#summary.clear();
    this.#positive.clear();
    this.#negative.clear();
    this.#scale = maxScale;
    this.#zeros = 0;
  }

  write(row: HistogramRow): void {
    this.#summary.write(row);
    this.#describe();
    row.layout = { ...this.#layout };
    row.buckets = this.#buckets.slice(0, this.#width);
  }

  addTo(total: HistogramRow): void {
    if (Number.isNaN(total.count)) return this.write(total);
    const row = this.#row;
    this.#summary.write(row);
    this.#describe();
    row.layout = this.#layout;
    row.buckets = this.#buckets;
    addHistogram(total, row);
  }

  get #width(): number {
    return 1 + this.#positive.length + this.#negative.length;
  }

  #describe(): void {
    const layout = this.#layout;
    const positive = this.#positive;
    const negative = this.#negative;
    layout.scale = this.#scale;
    layout.positiveOffset = positive.offset;
    layout.positiveCount = positive.length;
    layout.negativeOffset = negative.offset;
    layout.negativeCount = negative.length;
    if (this.#width > this.#buckets.length) this.#buckets = new Float64Array(2 * this.#width);
    this.#buckets[0] = this.#zeros;
    positive.copyTo(this.#buckets, 1);
    negative.copyTo(this.#buckets, 1 + positive.length);
  }

  #count(side: Side, values: Float64Array, cell: number): void {
    let index = indexOf(values, cell, this.#scale);
    while (!side.hasPlace(index)) {
      this.#scale -= 1;
      this.#positive.halve();
      this.#negative.halve();
      // Half, rounded down.
      index >>= 1;
    }
    side.count(index);
  }
}

/**
 * The index of the bucket of a non-zero number: above the lower bound, up to and including the upper one. At
 * most 2^30.
 */
function indexOf(values: Float64Array, cell: number, scale: number): number {
  const magnitude = Math.max(smallest, Math.abs(values[cell]));
  const index = (Math.ceil(Math.log2(magnitude) * 2 ** scale) - 1) | 0;
  // Logarithms and bounds are both rounded: the bound decides.
  if (magnitude > upperBound(scale, index)) return index + 1;
  return magnitude <= upperBound(scale, index - 1) ? index - 1 : index;
}

/** The buckets for one sign. */
class Side {
  #counts = new Float64Array(8);
  /** First index, and index after the last bucket. */
  #from = 0;
  #to = 0;

  /** The index of the first bucket; 0 without buckets. */
  get offset(): number {
    return this.#from;
  }

  get length(): number {
    return this.#to - this.#from;
  }

  copyTo(buckets: Float64Array, first: number): void {
    for (let i = 0; i < this.length; i += 1) buckets[first + i] = this.#counts[i];
  }

  hasPlace(index: number): boolean {
    if (this.#from === this.#to) return true;
    return Math.max(this.#to, index + 1) - Math.min(this.#from, index) <= maxBuckets;
  }

  count(index: number): void {
    if (this.#from === this.#to) this.#from = this.#to = index;
    this.#reach(Math.min(this.#from, index), Math.max(this.#to, index + 1));
    this.#counts[index - this.#from] += 1;
  }

  /** Merges each pair of neighbouring buckets. */
  halve(): void {
    if (this.#from === this.#to) return;
    const from = Math.floor(this.#from / 2);
    const to = Math.floor((this.#to - 1) / 2) + 1;
    for (let index = this.#from; index < this.#to; index += 1) {
      const count = this.#counts[index - this.#from];
      this.#counts[index - this.#from] = 0;
      // The target index is never beyond the source index, so moving in place is safe.
      this.#counts[Math.floor(index / 2) - from] += count;
    }
    this.#from = from;
    this.#to = to;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#from = this.#to = 0;
  }

  #reach(from: number, to: number): void {
    if (from === this.#from && to === this.#to) return;
    const added = this.#from - from;
    if (to - from > this.#counts.length) {
      const counts = new Float64Array(grow(to - from));
      counts.set(this.#counts.subarray(0, this.length), added);
      this.#counts = counts;
    } else if (added > 0) {
      // Unused buckets are 0.
      this.#counts.copyWithin(added, 0, this.length);
      this.#counts.fill(0, 0, added);
    }
    this.#from = from;
    this.#to = to;
  }
}

function grow(length: number): number {
  return Math.min(maxBuckets, 2 * length);
}
