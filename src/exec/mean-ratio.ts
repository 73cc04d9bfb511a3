import { deviationOf, meanOf } from '../energy/statistics.js';
import { studentQuantile } from '../energy/student-quantile.js';

/** The mean of some measurements, and how exactly they show it. */
export interface MeasuredMean {
  readonly mean: number;
  /** The square of its standard error. */
  readonly squaredError: number;
  /** Degrees of freedom of that error. */
  readonly degrees: number;
}

const confidence = 0.95;

/** The quantile of Student's t distribution for an interval of 95 % on both sides. */
export function quantileOf95(degrees: number): number {
  return studentQuantile((1 + confidence) / 2, degrees);
}

/** @param values at least two */
export function measureMean(values: readonly number[]): MeasuredMean {
  return {
    mean: meanOf(values),
    squaredError: deviationOf(values) ** 2 / values.length,
    degrees: values.length - 1,
  };
}

/** A mean minus a multiple of another one, as Welch's test has it. */
export interface MeanDifference {
  readonly difference: number;
  /** Its standard error. */
  readonly error: number;
  /** Degrees of freedom of that error, by Welch and Satterthwaite; NaN where nothing scatters. */
  readonly degrees: number;
}

/** Subtracts a multiple of a mean from another one; both may scatter differently. */
export function subtractMeans(one: MeasuredMean, other: MeasuredMean, factor = 1): MeanDifference {
  const otherError = factor ** 2 * other.squaredError;
  const squared = one.squaredError + otherError;
  return {
    difference: one.mean - factor * other.mean,
    error: Math.sqrt(squared),
    degrees: squared ** 2 / (one.squaredError ** 2 / one.degrees + otherError ** 2 / other.degrees),
  };
}

/** Ratios farther from the measured one than this many standard errors are not looked at. */
const maxErrors = 1e6;

/**
 * The 95 % confidence interval of the ratio of two means: all factors for which Welch's test does not reject that
 * the mean is the other one times the factor. This is Fieller's theorem (E. C. Fieller, Journal of the Royal
 * Statistical Society B 16, 1954) for means that scatter differently. The factor 1 is in it exactly where the
 * difference of the means has a p value of at least 0.05.
 * @param other positive
 * @returns lower and upper end; undefined if there is none, since the other mean may be 0
 */
export function ratioInterval(
  one: MeasuredMean,
  other: MeasuredMean,
): readonly [low: number, high: number] | undefined {
  const ratio = one.mean / other.mean;
  const error = subtractMeans(one, other, ratio).error / other.mean;
  if (error === 0) return [ratio, ratio];
  const isRejected = (factor: number) => {
    const { difference, error: own, degrees } = subtractMeans(one, other, factor);
    return Math.abs(difference) > quantileOf95(degrees) * own;
  };
  const low = findEnd(ratio, -error, isRejected);
  const high = findEnd(ratio, error, isRejected);
  return low === undefined || high === undefined ? undefined : [low, high];
}

/** The last factor in the direction of a step that is not rejected; undefined: none is rejected. */
function findEnd(ratio: number, step: number, isRejected: (factor: number) => boolean): number | undefined {
  let [near, far] = [0, 1];
  while (!isRejected(ratio + far * step)) {
    [near, far] = [far, 2 * far];
    if (far > maxErrors) return undefined;
  }
  // 60 bisections are as exact as a double.
  for (let count = 0; count < 60; count++) {
    const middle = (near + far) / 2;
    if (isRejected(ratio + middle * step)) far = middle;
    else near = middle;
  }
  return ratio + near * step;
}
