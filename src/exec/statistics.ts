import { studentQuantile } from '../energy/student-quantile.js';

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

const confidence = 0.95;

/** @param values at least one */
export function summarise(values: readonly number[]): Statistics {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const mean = average(values);
  const deviation = findDeviation(values, mean);
  return {
    mean,
    median: ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2,
    min: sorted[0] ?? NaN,
    deviation,
    halfWidth: deviation && (quantile(values.length - 1) * deviation) / Math.sqrt(values.length),
  };
}

/**
 * Whether consecutive measurements have a trend: the slope of their regression line differs from 0 at 95 %
 * confidence. Never with fewer than four.
 */
export function hasDrift(values: readonly number[]): boolean {
  const degrees = values.length - 2;
  if (degrees < 2) return false;
  const middle = (values.length - 1) / 2;
  const mean = average(values);
  const spread = total(values.map((_, i) => (i - middle) ** 2));
  const slope = total(values.map((value, i) => (i - middle) * (value - mean))) / spread;
  const rest = total(values.map((value, i) => (value - mean - slope * (i - middle)) ** 2));
  return Math.abs(slope) > quantile(degrees) * Math.sqrt(rest / degrees / spread);
}

function quantile(degrees: number): number {
  return studentQuantile((1 + confidence) / 2, degrees);
}

function findDeviation(values: readonly number[], mean: number): number | undefined {
  if (values.length < 2) return undefined;
  return Math.sqrt(total(values.map((value) => (value - mean) ** 2)) / (values.length - 1));
}

function average(values: readonly number[]): number {
  return total(values) / values.length;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
