import { NonNegativeLeastSquares } from '../../src/energy/non-negative-least-squares.js';
import { share } from '../../src/energy/share.js';

export interface DivisionOptions {
  /** Number of counters. */
  readonly width: number;
  /** Factor by which the weight of earlier windows is reduced at each window. */
  readonly retention: number;
  readonly maxResidual: number;
}

/** Number of windows per counter before coefficients are used: fewer can be fitted by any. */
const windowsPerCounter = 10;

/** Weights of parts are integers with about this sum. */
const wholeWeight = 2 ** 40;

/**
 * Divides the energy of a workload among parts, each of which is the growth of a counter: by the coefficients
 * of non-negative least squares over the windows so far. They are only used as weights: the parts and the
 * undivided rest add up to the energy, to the nanojoule.
 */
export class Division {
  readonly #squares: NonNegativeLeastSquares;
  readonly #row: Float64Array;
  readonly #maxResidual: number;
  #learned = 0;
  #weights = new Float64Array(0);
  readonly #shares: number[] = [];

  constructor({ width, retention, maxResidual }: DivisionOptions) {
    this.#squares = new NonNegativeLeastSquares(width, retention);
    this.#row = new Float64Array(width + 1);
    this.#maxResidual = maxResidual;
  }

  /** The residual of the windows so far; NaN: none. */
  get residual(): number {
    return this.#squares.residual;
  }

  /** Whether energy is divided by the coefficients. With one counter they are not needed. */
  get isTrusted(): boolean {
    const { length } = this.#squares.coefficients;
    if (length === 1) return true;
    return this.#learned >= windowsPerCounter * length && this.residual <= this.#maxResidual;
  }

  /** Joules per unit of a counter; NaN: not reliable yet. */
  coefficientOf(counter: number): number {
    const isKnown = this.isTrusted && this.#learned > 0;
    return isKnown ? this.#squares.coefficients[counter] : NaN;
  }

  /** Learns from a completely known window. @param growth of each counter */
  learn(growth: Float64Array, energyNj: number): void {
    this.#row.set(growth);
    this.#row[growth.length] = energyNj / 1e9;
    this.#squares.add(this.#row);
    this.#squares.solve();
    this.#learned += 1;
  }

  /**
   * Divides energy.
   * @param growth of each part
   * @param counters counter of each part
   * @returns whole nanojoules of each part, and as the last element the undivided rest; valid until the next
   * call
   */
  divide(energyNj: number, growth: readonly number[], counters: readonly number[]): readonly number[] {
    const whole = this.#weigh(growth, counters);
    const { length } = growth;
    if (whole > 0) {
      const given = share(energyNj, this.#weights, whole, this.#shares);
      this.#shares[length] = energyNj - given;
    } else {
      this.#shares.fill(0);
      this.#shares[length] = energyNj;
    }
    return this.#shares;
  }

  /** @returns the sum of the weights; 0: nothing can be divided */
  #weigh(growth: readonly number[], counters: readonly number[]): number {
    if (this.#weights.length !== growth.length) {
      this.#weights = new Float64Array(growth.length);
      this.#shares.length = growth.length + 1;
      this.#shares.fill(0);
    }
    let sum = 0;
    for (let i = 0; i < growth.length; i++) {
      this.#weights[i] = this.isTrusted ? growth[i] * this.#weightOf(counters[i]) : 0;
      sum += this.#weights[i];
    }
    if (sum === 0) return 0;
    let whole = 0;
    for (let i = 0; i < growth.length; i++) {
      this.#weights[i] = Math.round((this.#weights[i] / sum) * wholeWeight);
      whole += this.#weights[i];
    }
    return whole;
  }

  /** With one counter, the growth alone is the weight. */
  #weightOf(counter: number): number {
    return this.#squares.coefficients.length === 1 ? 1 : this.#squares.coefficients[counter];
  }
}
