import { describeError } from '../errors.js';
import { findRegularText } from '../linux/regular-file.js';
import { replaceFile } from '../linux/replace-file.js';
import { evaluate, fitPolynomial, type Fit } from './line-fit.js';
import { studentQuantile } from './student-quantile.js';

/** Mean power of a meter and of the sensors within its domain, over the same time. Watts. */
export interface PowerPair {
  readonly sensors: number;
  readonly meter: number;
}

/** A value with half its 95 % confidence interval. */
export interface Estimate {
  readonly value: number;
  readonly halfWidth: number;
}

/** A meter compared with the sensors within its domain: meter = offset + gain * sensors. */
export interface Calibration {
  /** Unix time in seconds. */
  readonly at: number;
  readonly sensors: readonly string[];
  /** Number of pairs, and their range of sensor power. */
  readonly points: number;
  readonly from: number;
  readonly to: number;
  /** Watts of the meter at 0 W of the sensors. */
  readonly offset: Estimate;
  /** Watts of the meter per watt of the sensors. */
  readonly gain: Estimate;
  /** Standard deviation of the meter from the line, in watts. */
  readonly deviation: number;
  /** Coefficients of the powers 0, 1 and 2 of the sensors; undefined: the pairs show no curve at 95 % confidence. */
  readonly curve?: readonly Estimate[];
  /** Meter minus sensors on the idle machine, in watts. */
  readonly idleRemainder: number;
}

type Place = Pick<Calibration, 'at' | 'sensors'>;

/**
 * Fits a line, and a curve if the pairs show one.
 * @param idle the pairs of the idle machine, which are also among the others; at least one
 * @throws Error when the pairs do not determine a line
 */
export function fitCalibration(
  pairs: readonly PowerPair[],
  idle: readonly PowerPair[],
  { at, sensors }: Place,
): Calibration {
  const xs = pairs.map((pair) => pair.sensors);
  const ys = pairs.map(({ meter }) => meter);
  const line = fitPolynomial(xs, ys, 1);
  if (line === undefined) {
    throw new Error(
      `Cannot fit a line: expected 3 points of different power, found ${pairs.length} of ${new Set(xs).size}`,
    );
  }
  const [offset, gain] = estimatesOf(line);
  const curve = fitCurve(xs, ys);
  return {
    at,
    sensors,
    points: pairs.length,
    from: Math.min(...xs),
    to: Math.max(...xs),
    offset: offset ?? nothing,
    gain: gain ?? nothing,
    deviation: line.deviation,
    ...(curve && { curve }),
    idleRemainder: idle.reduce((sum, pair) => sum + pair.meter - pair.sensors, 0) / idle.length,
  };
}

/**
 * Watts beyond the sensors that follow the load, per watt of the sensors: the slope of the line, or of the
 * curve's chord from 0, minus 1.
 */
export function lossRatioAt({ gain, curve, from, to }: Calibration, sensorWatts: number): number {
  if (curve === undefined) return Math.max(0, gain.value - 1);
  // Outside the measured range, a parabola does not describe a power supply.
  const within = Math.min(to, Math.max(from, sensorWatts));
  const [, linear, square] = curve.map(({ value }) => value);
  return Math.max(0, evaluate({ coefficients: [linear ?? NaN, square ?? NaN] }, within) - 1);
}

const nothing: Estimate = { value: NaN, halfWidth: NaN };

function estimatesOf({ coefficients, errors, degrees }: Fit): readonly Estimate[] {
  const quantile = studentQuantile(0.975, degrees);
  return coefficients.map((value, i) => ({ value, halfWidth: quantile * (errors[i] ?? NaN) }));
}

function fitCurve(xs: readonly number[], ys: readonly number[]): readonly Estimate[] | undefined {
  const fit = fitPolynomial(xs, ys, 2);
  const estimates = fit && estimatesOf(fit);
  const square = estimates?.[2];
  return square && Math.abs(square.value) > square.halfWidth ? estimates : undefined;
}

/**
 * The calibrations in a file, by the `hw.id` of their meters. A file that does not exist is empty.
 * @throws Error when it cannot be read or is not a calibration file
 */
export function loadCalibrations(path: string): ReadonlyMap<string, Calibration> {
  const text = findRegularText(path);
  if (text === undefined) return new Map();
  try {
    return parseCalibrations(JSON.parse(text));
  } catch (error) {
    throw new Error(`Cannot parse ${path}: ${describeError(error)}`, { cause: error });
  }
}

/** Adds a calibration to a file, in place of an earlier one of the same meter. @throws Error */
export function saveCalibration(path: string, meterId: string, calibration: Calibration): void {
  const all = new Map([...loadCalibrations(path), [meterId, calibration]]);
  replaceFile(path, `${JSON.stringify({ calibrations: Object.fromEntries(all) }, undefined, 2)}\n`);
}

type Tree = Readonly<Record<string, unknown>>;

function parseCalibrations(value: unknown): ReadonlyMap<string, Calibration> {
  const entries = Object.entries(mapOf(mapOf(value, 'the file')['calibrations'], 'calibrations'));
  return new Map(entries.map(([id, one]) => [id, parseCalibration(mapOf(one, id), id)]));
}

function parseCalibration(tree: Tree, id: string): Calibration {
  const { sensors, curve } = tree;
  const number = (name: string) => numberOf(tree[name], `${id}.${name}`);
  return {
    at: number('at'),
    sensors: Array.isArray(sensors) ? sensors.map(String) : [],
    points: number('points'),
    from: number('from'),
    to: number('to'),
    offset: estimateOf(tree['offset'], `${id}.offset`),
    gain: estimateOf(tree['gain'], `${id}.gain`),
    deviation: number('deviation'),
    ...(Array.isArray(curve) && { curve: curve.map((one, i) => estimateOf(one, `${id}.curve[${i}]`)) }),
    idleRemainder: number('idleRemainder'),
  };
}

function estimateOf(value: unknown, path: string): Estimate {
  const tree = mapOf(value, path);
  return {
    value: numberOf(tree['value'], `${path}.value`),
    halfWidth: numberOf(tree['halfWidth'], `${path}.halfWidth`),
  };
}

function numberOf(value: unknown, path: string): number {
  if (typeof value === 'number') return value;
  throw new Error(`expected a number at ${path}, found ${JSON.stringify(value) ?? 'none'}`);
}

function mapOf(value: unknown, path: string): Tree {
  if (isTree(value)) return value;
  throw new Error(`expected a map at ${path}, found ${JSON.stringify(value) ?? 'none'}`);
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
