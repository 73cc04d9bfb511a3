import { fitPolynomial } from '../energy/line-fit.js';
import { deviationOf, meanOf, medianOf } from '../energy/statistics.js';
import { studentTails } from '../energy/student-quantile.js';
import { measureMean, quantileOf95, ratioInterval, subtractMeans } from './mean-ratio.js';

/** Statistics of repeated measurements, in their unit. */
export interface Statistics {
  readonly mean: number;
  readonly median: number;
  readonly min: number;
  /** Half the width of the mean's 95 % confidence interval; undefined for a single measurement. */
  readonly halfWidth: number | undefined;
  /** Sample standard deviation; undefined for a single measurement. */
  readonly deviation: number | undefined;
}

/** By how much the mean of some measurements differs from that of others: Welch's test. */
export interface Difference {
  /** In the unit of the measurements. */
  readonly difference: number;
  /** Half the width of its 95 % confidence interval. */
  readonly halfWidth: number;
  /** The mean as a multiple of the other one; undefined if that is not positive. */
  readonly ratio: number | undefined;
  /** Lower and upper end of its 95 % confidence interval; undefined if there is none. */
  readonly ratioInterval: readonly [low: number, high: number] | undefined;
  /** The statistic and its degrees of freedom; undefined if no measurement differs from its mean. */
  readonly t: number | undefined;
  readonly degrees: number | undefined;
  /** How probable a difference at least this large is if there is none, from 0 to 1. */
  readonly p: number;
}

/** @param values at least one */
export function summarizeSample(values: readonly number[]): Statistics {
  const deviation = values.length < 2 ? undefined : deviationOf(values);
  return {
    mean: meanOf(values),
    median: medianOf(values),
    min: Math.min(...values),
    deviation,
    halfWidth: deviation && (quantileOf95(values.length - 1) * deviation) / Math.sqrt(values.length),
  };
}

/**
 * Whether consecutive measurements have a trend: the slope of their regression line differs from 0 at 95 %
 * confidence. Never with fewer than four.
 */
export function hasDrift(values: readonly number[]): boolean {
  const degrees = values.length - 2;
  if (degrees < 2) return false;
  const { coefficients, errors } = fitPolynomial([...values.keys()], values, 1) ?? {};
  const [slope, error] = [coefficients?.[1] ?? NaN, errors?.[1] ?? NaN];
  return Math.abs(slope) > quantileOf95(degrees) * error;
}

/**
 * Compares two means by Welch's test, which does not assume that both scatter equally (B. L. Welch, Biometrika
 * 34, 1947).
 * @returns undefined with fewer than two measurements of either
 */
export function compareMeans(values: readonly number[], others: readonly number[]): Difference | undefined {
  if (values.length < 2 || others.length < 2) return undefined;
  const [one, other] = [measureMean(values), measureMean(others)];
  const { difference, error, degrees } = subtractMeans(one, other);
  const hasRatio = other.mean > 0;
  const ratios = {
    ratio: hasRatio ? one.mean / other.mean : undefined,
    ratioInterval: hasRatio ? ratioInterval(one, other) : undefined,
  };
  if (error === 0) {
    const p = difference === 0 ? 1 : 0;
    return { difference, ...ratios, halfWidth: 0, t: undefined, degrees: undefined, p };
  }
  const t = difference / error;
  const halfWidth = quantileOf95(degrees) * error;
  return { difference, ...ratios, halfWidth, t, degrees, p: studentTails(t, degrees) };
}
