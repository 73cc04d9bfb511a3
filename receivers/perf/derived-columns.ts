/** Quotients of columns over windows of readings, one after the other: each shows the last window that ended. */
export class DerivedColumns {
  readonly #pairs: readonly (readonly [numerator: number, denominator: number])[];
  readonly #readings: number;
  readonly #before: Float64Array;
  readonly #shown: Float64Array;
  #left = 0;

  /**
   * @param pairs columns of counts
   * @param readings that make up a window
   */
  constructor(pairs: readonly (readonly [numerator: number, denominator: number])[], readings: number) {
    this.#pairs = pairs;
    this.#readings = readings;
    this.#before = new Float64Array(2 * pairs.length).fill(Number.NaN);
    this.#shown = new Float64Array(pairs.length).fill(Number.NaN);
  }

  /** Writes the quotients; NaN before the first window has ended, and for nothing over nothing. */
  write(counts: Float64Array, values: Float64Array, at: number): void {
    if (this.#left === 0) {
      this.#close(counts);
      this.#left = this.#readings;
    }
    this.#left--;
    for (let i = 0; i < this.#shown.length; i++) values[at + i] = this.#shown[i];
  }

  #close(counts: Float64Array): void {
    for (let i = 0; i < this.#pairs.length; i++) {
      const [numerator, denominator] = this.#pairs[i];
      const grown = counts[denominator] - this.#before[2 * i + 1];
      this.#shown[i] = grown > 0 ? (counts[numerator] - this.#before[2 * i]) / grown : Number.NaN;
      this.#before[2 * i] = counts[numerator];
      this.#before[2 * i + 1] = counts[denominator];
    }
  }
}
