import { ChosenRows, type RowChooser } from '../../src/component/row-choosing.js';
import type { Table } from '../../src/model/table.js';

/**
 * Chooses the last row of each interval, when a row of a later interval follows. A series without a reading in
 * it keeps the previous one, if that is in the same interval. Times are nanoseconds.
 */
export class LastRow implements RowChooser {
  readonly #intervalNs: number;
  readonly #rows = new ChosenRows();
  readonly #last: Float64Array;
  #lastAt = NaN;
  /** Time of the last row, chosen or not. */
  #readAt = -Infinity;
  /** End of the last row's interval. */
  #end = -Infinity;
  /** Unix time of time 0, a multiple of the interval. */
  #epoch: bigint | undefined;

  constructor(width: number, intervalNs: number) {
    this.#intervalNs = intervalNs;
    this.#last = new Float64Array(width);
  }

  take({ series, epoch, offsets, values }: Table): Table | undefined {
    this.#epoch ??= epoch - (epoch % BigInt(this.#intervalNs));
    const shift = Number(epoch - this.#epoch);
    const width = this.#last.length;
    for (let row = 0; row < offsets.length; row++) {
      const at = shift + offsets[row];
      // Refused rows may be sent again.
      if (at <= this.#readAt) continue;
      this.#readAt = at;
      if (at > this.#end) this.#begin(at);
      for (let i = 0; i < width; i++) {
        const value = values[row * width + i];
        if (!Number.isNaN(value)) this.#last[i] = value;
      }
      this.#lastAt = at;
    }
    return this.#rows.take(series, this.#epoch);
  }

  finish(series: Table['series']): Table | undefined {
    this.#choose();
    return this.#epoch === undefined ? undefined : this.#rows.take(series, this.#epoch);
  }

  /** Starts the interval that ends at or after this instant. */
  #begin(at: number): void {
    this.#choose();
    this.#end = Math.ceil(at / this.#intervalNs) * this.#intervalNs;
    this.#last.fill(NaN);
  }

  #choose(): void {
    if (!Number.isNaN(this.#lastAt)) this.#rows.add(this.#lastAt, this.#last.slice());
    this.#lastAt = NaN;
  }
}
