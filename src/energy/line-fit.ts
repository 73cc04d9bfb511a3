import { meanOf } from './statistics.js';

/** A polynomial of first or second degree, fitted by least squares. */
export interface Fit {
  /** Coefficients of the powers 0, 1 and, for a curve, 2 of x. */
  readonly coefficients: readonly number[];
  /** The standard error of each coefficient, if the deviations of the points are independent. */
  readonly errors: readonly number[];
  /** Standard deviation of the points from the polynomial. */
  readonly deviation: number;
  /** Number of points minus number of coefficients. */
  readonly degrees: number;
}

/**
 * Ordinary least squares: the powers of x, centred and scaled so that the normal equations stay well
 * conditioned, are solved by Gauss-Jordan elimination; the covariance is the inverse times the variance of the
 * residuals.
 * @param degree 1: a line; 2: a curve
 * @returns undefined if the points do not determine it: too few, or too few different x
 */
export function fitPolynomial(xs: ArrayLike<number>, ys: ArrayLike<number>, degree: 1 | 2): Fit | undefined {
  const size = degree + 1;
  const degrees = xs.length - size;
  if (degrees < 1 || countDistinct(xs) < size) return undefined;
  const middle = meanOf(Array.from(xs));
  const scale = Math.max(...Array.from(xs, (x) => Math.abs(x - middle)));
  const rows = Array.from(xs, (x) => powersOf((x - middle) / scale, size));
  const inverse = invert(productOf(rows, size));
  if (inverse === undefined) return undefined;
  const moments = Array.from({ length: size }, (_, i) =>
    sumOf(rows, (row, k) => (row[i] ?? NaN) * (ys[k] ?? NaN)),
  );
  const scaled = inverse.map((row) => dot(row, moments));
  const rest = sumOf(rows, (row, k) => ((ys[k] ?? NaN) - dot(row, scaled)) ** 2);
  const variance = rest / degrees;
  // The coefficients of x itself are linear in those of (x - middle) / scale.
  const back = unscale(size, middle, scale);
  return {
    coefficients: back.map((row) => dot(row, scaled)),
    errors: back.map((row) =>
      Math.sqrt(
        variance *
          dot(
            row,
            inverse.map((one) => dot(one, row)),
          ),
      ),
    ),
    deviation: Math.sqrt(variance),
    degrees,
  };
}

/** The value of a polynomial. */
export function evaluate({ coefficients }: Pick<Fit, 'coefficients'>, x: number): number {
  return coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);
}

function powersOf(x: number, size: number): readonly number[] {
  return Array.from({ length: size }, (_, power) => x ** power);
}

/** Row i: the contribution of the coefficients of ((x - middle) / scale) to that of x to the power i. */
function unscale(size: number, middle: number, scale: number): readonly (readonly number[])[] {
  const binomials = [[1], [1, 1], [1, 2, 1]];
  return Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_unused, j) =>
      j < i ? 0 : ((binomials[j]?.[i] ?? 0) * (-middle) ** (j - i)) / scale ** j,
    ),
  );
}

function productOf(rows: readonly (readonly number[])[], size: number): number[][] {
  return Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_unused, j) => sumOf(rows, (row) => (row[i] ?? NaN) * (row[j] ?? NaN))),
  );
}

/** @returns undefined if the matrix is singular */
function invert(matrix: readonly (readonly number[])[]): number[][] | undefined {
  const size = matrix.length;
  const work = matrix.map((row, i) => [...row, ...Array.from({ length: size }, (_, j) => (i === j ? 1 : 0))]);
  for (let column = 0; column < size; column++) {
    const pivot = findPivot(work, column);
    const row = work[pivot];
    const first = row?.[column];
    if (row === undefined || first === undefined || Math.abs(first) < 1e-12) return undefined;
    work[pivot] = work[column] ?? row;
    const unit = row.map((value) => value / first);
    work[column] = unit;
    for (const [i, other] of work.entries()) {
      const factor = other[column] ?? 0;
      if (i !== column) work[i] = other.map((value, k) => value - factor * (unit[k] ?? 0));
    }
  }
  return work.map((row) => row.slice(size));
}

function findPivot(work: readonly (readonly number[])[], column: number): number {
  let best = column;
  const sizeAt = (i: number) => Math.abs(work[i]?.[column] ?? 0);
  for (let i = column + 1; i < work.length; i++) if (sizeAt(i) > sizeAt(best)) best = i;
  return best;
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? NaN), 0);
}

function sumOf<Row>(rows: readonly Row[], valueOf: (row: Row, index: number) => number): number {
  return rows.reduce((sum, row, i) => sum + valueOf(row, i), 0);
}

function countDistinct(xs: ArrayLike<number>): number {
  return new Set(Array.from(xs)).size;
}
