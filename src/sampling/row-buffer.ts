import { monotonicOriginNs, stampMonotonic } from '../linux/clocks.js';
import type { WallAnchor } from '../linux/wall-anchor.js';

/** Rows in the layout of a table. */
export interface Rows {
  readonly epoch: bigint;
  readonly offsets: Float64Array<ArrayBuffer>;
  readonly values: Float64Array<ArrayBuffer>;
}

/** 1 MiB: a table's worth of doubles, so that a fast sampler that flushes seldom does not hold more. */
const mostDoubles = 131_072;

/** Room for the rows of one flush, filled in place. */
export class RowBuffer {
  readonly width: number;
  /** Row-major, as in a table. The row at `valuesAt` is the next one. */
  readonly values: Float64Array<ArrayBuffer>;
  /** When each row was read, nanoseconds after `monotonicOriginNs`. */
  readonly instantsNs: Float64Array<ArrayBuffer>;
  #length = 0;

  constructor(width: number, wantedRows: number) {
    const rows = Math.max(2, Math.min(wantedRows, Math.floor(mostDoubles / (width + 1))));
    this.width = width;
    this.values = new Float64Array(rows * width);
    this.instantsNs = new Float64Array(rows);
  }

  get length(): number {
    return this.#length;
  }

  get isFull(): boolean {
    return this.#length === this.instantsNs.length;
  }

  /** Where in `values` the next row goes. */
  get valuesAt(): number {
    return this.#length * this.width;
  }

  /**
   * Makes the values that were written a row of this instant.
   * @returns the row's number
   */
  add(): number {
    stampMonotonic(this.instantsNs, this.#length);
    return this.#length++;
  }

  /** Takes the first rows, all of them by default, out as copies that can be transferred. There is at least one. */
  take(anchor: WallAnchor, count = this.#length): Rows {
    const offsets = this.instantsNs.slice(0, count);
    const values = this.values.slice(0, count * this.width);
    this.drop(count);
    return { epoch: turnIntoOffsets(offsets, anchor), offsets, values };
  }

  /** Drops the first rows. */
  drop(count: number): void {
    this.instantsNs.copyWithin(0, count, this.#length);
    this.values.copyWithin(0, count * this.width, this.#length * this.width);
    this.#length -= count;
  }
}

function turnIntoOffsets(instantsNs: Float64Array, anchor: WallAnchor): bigint {
  const first = instantsNs[0];
  const wallNs = (instantNs: number) => anchor.wallNs(monotonicOriginNs + BigInt(instantNs));
  const epoch = wallNs(first);
  for (let row = 0; row < instantsNs.length; row++) {
    instantsNs[row] = anchor.isConstant ? instantsNs[row] - first : Number(wallNs(instantsNs[row]) - epoch);
  }
  return epoch;
}
