/**
 * Online non-negative least squares: the non-negative coefficients with which a weighted sum of counters comes
 * closest to a measured value over all windows so far. Only the normal equations are kept, so that the cost of
 * a window is constant. Old windows lose weight at a constant rate. Everything is allocated in the constructor;
 * the same rows in the same order give the same coefficients, to the last bit. Solved by the active set method
 * of Lawson and Hanson (Solving Least Squares Problems, 1974, chapter 23) on the Gram matrix, as in Bro and de
 * Jong (1997). A constant term is a counter that grows by 1, or by the seconds, in every window.
 */
export class NonNegativeLeastSquares {
  /** The contribution of one unit of each counter to the value, as of the last call of `solve`. */
  readonly coefficients: Float64Array;
  readonly #width: number;
  readonly #retention: number;
  /** Sums over the rows of the products of each pair of columns, with the value as the last column; row-major. */
  readonly #products: Float64Array;
  /** Root of the sum of squares of each counter, which normalizes units; 0: the counter never changed. */
  readonly #scales: Float64Array;
  /** The same equations, normalized. */
  readonly #gram: Float64Array;
  readonly #target: Float64Array;
  readonly #solution: Float64Array;
  readonly #candidate: Float64Array;
  readonly #factor: Float64Array;
  /** The counters whose coefficients may be positive, in order; only the first `#members` entries count. */
  readonly #active: Uint8Array;
  #members = 0;
  /** 1: linearly dependent on the active counters. */
  readonly #dependent: Uint8Array;

  /**
   * @param width number of counters
   * @param retention factor by which each window reduces the weight of all earlier ones; 1: all weigh the same
   */
  constructor(width: number, retention = 1) {
    this.#width = width;
    this.#retention = retention;
    this.coefficients = new Float64Array(width);
    this.#products = new Float64Array((width + 1) ** 2);
    this.#scales = new Float64Array(width);
    this.#gram = new Float64Array(width ** 2);
    this.#target = new Float64Array(width);
    this.#solution = new Float64Array(width);
    this.#candidate = new Float64Array(width);
    this.#factor = new Float64Array(width ** 2);
    this.#active = new Uint8Array(width);
    this.#dependent = new Uint8Array(width);
  }

  /**
   * Adds a window.
   * @param row the growth of each counter, then the value; finite numbers
   */
  add(row: Float64Array): void {
    const columns = this.#width + 1;
    for (let i = 0; i < columns; i++) {
      for (let j = 0; j <= i; j++) {
        const cell = i * columns + j;
        this.#products[cell] = this.#products[cell] * this.#retention + row[i] * row[j];
      }
    }
  }

  /** Discards all windows. */
  reset(): void {
    this.#products.fill(0);
    this.coefficients.fill(0);
  }

  /** Computes the coefficients of the windows so far. */
  solve(): void {
    this.#scale();
    this.#solution.fill(0);
    this.#dependent.fill(0);
    this.#members = 0;
    // Every change of the active set reduces the residual, so no set returns; the limit guards against rounding
    // errors.
    for (let step = 0; step < 10 * this.#width && this.#enterSteepest(); step++) this.#descend();
    for (let i = 0; i < this.#width; i++) {
      this.coefficients[i] = this.#scales[i] > 0 ? this.#solution[i] / this.#scales[i] : 0;
    }
  }

  /**
   * Root of the sum of the squared differences between the value and the weighted sum, relative to that of the
   * squared values: 0 if the counters explain everything, 1 if they explain nothing. Exact to about 1e-8. NaN
   * without windows.
   */
  get residual(): number {
    const columns = this.#width + 1;
    const total = this.#products[columns * columns - 1];
    let rest = total;
    for (let i = 0; i < this.#width; i++) {
      rest -= 2 * this.coefficients[i] * this.#products[this.#width * columns + i];
      for (let j = 0; j < this.#width; j++) {
        const cell = i > j ? i * columns + j : j * columns + i;
        rest += this.coefficients[i] * this.coefficients[j] * this.#products[cell];
      }
    }
    return Math.sqrt(Math.max(0, rest) / total);
  }

  #scale(): void {
    const columns = this.#width + 1;
    for (let i = 0; i < this.#width; i++) this.#scales[i] = Math.sqrt(this.#products[i * columns + i]);
    for (let i = 0; i < this.#width; i++) {
      const scale = this.#scales[i] || Infinity;
      this.#target[i] = this.#products[this.#width * columns + i] / scale;
      for (let j = 0; j <= i; j++) {
        const scaled = this.#products[i * columns + j] / scale / (this.#scales[j] || Infinity);
        this.#gram[i * this.#width + j] = scaled;
        this.#gram[j * this.#width + i] = scaled;
      }
    }
  }

  /** Activates the counter that reduces the residual fastest. @returns false: none would reduce it */
  #enterSteepest(): boolean {
    let steepest = -1;
    // 2^-40 of the norm of the value: less than that is rounding.
    const columns = this.#width + 1;
    let slope = 2 ** -40 * Math.sqrt(this.#products[columns * columns - 1]);
    for (let i = 0; i < this.#width; i++) {
      if (this.#dependent[i] === 1 || this.#isActive(i) || this.#slopeOf(i) <= slope) continue;
      slope = this.#slopeOf(i);
      steepest = i;
    }
    if (steepest >= 0) this.#active[this.#members++] = steepest;
    return steepest >= 0;
  }

  #isActive(counter: number): boolean {
    for (let i = 0; i < this.#members; i++) if (this.#active[i] === counter) return true;
    return false;
  }

  /** How much one more unit of a counter would reduce the residual. */
  #slopeOf(counter: number): number {
    let slope = this.#target[counter];
    for (let i = 0; i < this.#width; i++) {
      slope -= this.#gram[counter * this.#width + i] * this.#solution[i];
    }
    return slope;
  }

  /** Moves to the best coefficients of the active counters, removing those that would become 0 on the way. */
  #descend(): void {
    while (this.#members > 0) {
      const newest = this.#active[this.#members - 1];
      if (!this.#solveActive() || (this.#solution[newest] === 0 && this.#candidate[this.#members - 1] <= 0)) {
        this.#dependent[newest] = 1;
        this.#members -= 1;
        continue;
      }
      const limiting = this.#findLimiting();
      const part = limiting < 0 ? 1 : this.#partUntilZero(limiting);
      for (let i = 0; i < this.#members; i++) {
        const counter = this.#active[i];
        this.#solution[counter] += part * (this.#candidate[i] - this.#solution[counter]);
      }
      if (limiting < 0) return;
      this.#solution[this.#active[limiting]] = 0;
      this.#leave();
    }
  }

  /** The active counter whose coefficient reaches 0 first on the way to the candidate; -1: none. */
  #findLimiting(): number {
    let limiting = -1;
    for (let i = 0; i < this.#members; i++) {
      if (this.#candidate[i] >= 0) continue;
      if (limiting < 0 || this.#partUntilZero(i) < this.#partUntilZero(limiting)) limiting = i;
    }
    return limiting;
  }

  /** The fraction of the way to the candidate at which a coefficient is 0. */
  #partUntilZero(member: number): number {
    const from = this.#solution[this.#active[member]];
    return from / (from - this.#candidate[member]);
  }

  /** Removes the counters whose coefficients have become 0. Counters that depended on them may become useful again. */
  #leave(): void {
    let kept = 0;
    for (let i = 0; i < this.#members; i++) {
      const counter = this.#active[i];
      if (this.#solution[counter] > 0) this.#active[kept++] = counter;
      else this.#solution[counter] = 0;
    }
    this.#members = kept;
    this.#dependent.fill(0);
  }

  /**
   * Solves the equations of the active counters by Cholesky decomposition. @returns false: the newest depends
   * on the others
   */
  #solveActive(): boolean {
    const factor = this.#factor;
    const width = this.#width;
    for (let i = 0; i < this.#members; i++) {
      let value = this.#target[this.#active[i]];
      for (let j = 0; j <= i; j++) {
        let sum = this.#gram[this.#active[i] * width + this.#active[j]];
        for (let k = 0; k < j; k++) sum -= factor[i * width + k] * factor[j * width + k];
        if (i === j && sum < 2 ** -33) return false;
        factor[i * width + j] = i === j ? Math.sqrt(sum) : sum / factor[j * width + j];
      }
      for (let j = 0; j < i; j++) value -= factor[i * width + j] * this.#candidate[j];
      this.#candidate[i] = value / factor[i * width + i];
    }
    this.#substituteBack();
    return true;
  }

  #substituteBack(): void {
    for (let i = this.#members - 1; i >= 0; i--) {
      let value = this.#candidate[i];
      for (let j = i + 1; j < this.#members; j++) {
        value -= this.#factor[j * this.#width + i] * this.#candidate[j];
      }
      this.#candidate[i] = value / this.#factor[i * this.#width + i];
    }
  }
}
