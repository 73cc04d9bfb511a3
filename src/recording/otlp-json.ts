import type { AnySeries, Attributes, AttributeValue, HistogramKind, Metric } from '../model/series.js';
import { checkDepth, type PlainValue } from '../otlp/decode-attributes.js';
import { findJsonMistake } from './json-mistake.js';

// The part of OTLP JSON that fits into tables, in all forms found in files: names in either case, 64-bit
// integers as strings or numbers, and doubles as strings if JSON has no number for them.

/** A JSON object with unchecked fields. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The objects in a list; other items are left out. */
export function objectsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Whether a value is an object with fields. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value if it is an object; otherwise an empty object. */
export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/** A value if it is a number; otherwise, for example for null, undefined. */
export function finiteNumberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/**
 * Parses a JSON object.
 * @throws Error if the text is invalid, with a message that does not depend on the engine
 */
export function parseObject(text: string): JsonObject {
  const parsed = parseJson(text);
  if (!isObject(parsed))
    throw new Error(`expected a JSON object, found ${Array.isArray(parsed) ? 'a list' : text}`);
  return parsed;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const column = (findJsonMistake(text) ?? 0) + 1;
    throw new Error(`expected a JSON object, found a syntax error at column ${column}`, { cause: error });
  }
}

/** Instants are nanoseconds in signed 64 bits, which end in the year 2262. */
const maxInstant = 2n ** 63n - 1n;

/**
 * An instant; 0 if there is none.
 * @throws Error if it exceeds 64 bits
 */
export function instantOf(value: unknown): bigint {
  const instant = uint64Of(value);
  if (instant > maxInstant) throw new Error(`expected an instant of 64 bits, found ${instant}`);
  return instant;
}

function uint64Of(value: unknown): bigint {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return BigInt(value);
  return typeof value === 'string' && /^\d{1,20}$/u.test(value) ? BigInt(value) : 0n;
}

/** A string; other values as JSON; empty for undefined. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}

/**
 * Attributes of a list of key-value pairs. Lists and maps are converted to JSON, and integers beyond a double
 * to strings.
 */
export function attributesOf(pairs: unknown): Attributes {
  return Object.fromEntries(
    listPairs(pairs, 0).flatMap(([key, value]): [string, AttributeValue][] => {
      if (value === null) return [];
      return [[key, typeof value === 'object' ? JSON.stringify(value) : value]];
    }),
  );
}

function listPairs(pairs: unknown, depth: number): [string, PlainValue][] {
  return objectsOf(pairs).flatMap(({ key, value }): [string, PlainValue][] => {
    const read = isObject(value) ? plainValueOf(value, depth) : undefined;
    return typeof key === 'string' && read !== undefined ? [[key, read]] : [];
  });
}

/** Undefined: of an unknown kind. */
function plainValueOf(value: JsonObject, depth: number): PlainValue | undefined {
  const text = value['stringValue'] ?? value['string_value'];
  if (typeof text === 'string') return text;
  const truth = value['boolValue'] ?? value['bool_value'];
  if (typeof truth === 'boolean') return truth;
  const whole = value['intValue'] ?? value['int_value'];
  if (whole !== undefined) return Number.isSafeInteger(numberOf(whole)) ? numberOf(whole) : textOf(whole);
  const double = value['doubleValue'] ?? value['double_value'];
  if (double !== undefined) return doubleOf(double);
  const bytes = value['bytesValue'] ?? value['bytes_value'];
  if (typeof bytes === 'string') return bytes;
  const list = value['arrayValue'] ?? value['array_value'];
  const map = value['kvlistValue'] ?? value['kvlist_value'];
  if (isObject(list) || isObject(map)) checkDepth(depth + 1);
  if (isObject(map)) return Object.fromEntries(listPairs(map['values'], depth + 1));
  if (!isObject(list)) return undefined;
  return objectsOf(list['values']).map((item) => plainValueOf(item, depth + 1) ?? null);
}

/** A whole number, or a string with one; otherwise undefined. */
export function wholeOf(value: unknown): number | undefined {
  const number = numberOf(value);
  return Number.isInteger(number) ? number : undefined;
}

/** A number, or a string with one. */
export function doubleOf(value: unknown): number {
  if (typeof value !== 'string') return numberOf(value);
  if (/^[+-]?inf(inity)?$/iu.test(value)) return value.startsWith('-') ? -Infinity : Infinity;
  return numberOf(value);
}

/** NaN for what is neither a number nor a string with one; the `toString` of an object may not be a function. */
function numberOf(value: unknown): number {
  if (typeof value === 'string') return value.trim() === '' ? NaN : Number(value);
  return typeof value === 'number' ? value : NaN;
}

/** The points of a metric, and their kind. */
export interface MetricPoints {
  readonly kind: Metric['kind'];
  readonly points: readonly JsonObject[];
}

/** The same for a histogram metric. */
export interface HistogramPoints {
  readonly kind: HistogramKind;
  readonly points: readonly JsonObject[];
}

/** Whether points are histograms. */
export function areHistograms(points: MetricPoints | HistogramPoints): points is HistogramPoints {
  return points.kind === 'histogram' || points.kind === 'exponential_histogram';
}

/** Points of a kind that tables do not support. */
export interface UnsupportedPoints {
  readonly unsupported: string;
  readonly count: number;
}

/** The points of a metric. Undefined: it has none. */
export function pointsOf(metric: JsonObject): MetricPoints | HistogramPoints | UnsupportedPoints | undefined {
  const { gauge, sum, histogram } = metric;
  if (isObject(gauge)) return { kind: 'gauge', points: listOf(gauge) };
  if (isObject(sum)) return sumPoints(sum);
  if (isObject(histogram)) return histogramPoints(histogram, 'histogram');
  const exponential = metric['exponentialHistogram'] ?? metric['exponential_histogram'];
  if (isObject(exponential)) return histogramPoints(exponential, 'exponential_histogram');
  const other = Object.entries(metric).find(([, value]) => isObject(value) && listOf(value).length > 0);
  return other && { unsupported: other[0], count: listOf(other[1] as JsonObject).length };
}

function sumPoints(sum: JsonObject): MetricPoints | UnsupportedPoints {
  const points = listOf(sum);
  if (isDelta(sum)) return { unsupported: 'sum of delta temporality', count: points.length };
  const isMonotonic = (sum['isMonotonic'] ?? sum['is_monotonic']) === true;
  return { kind: isMonotonic ? 'counter' : 'updowncounter', points };
}

function histogramPoints(data: JsonObject, kind: HistogramKind): HistogramPoints | UnsupportedPoints {
  const points = listOf(data);
  if (isDelta(data)) return { unsupported: 'histogram of delta temporality', count: points.length };
  return { kind, points };
}

function isDelta(data: JsonObject): boolean {
  const temporality = data['aggregationTemporality'] ?? data['aggregation_temporality'];
  return temporality === 1 || temporality === 'AGGREGATION_TEMPORALITY_DELTA';
}

function listOf(data: JsonObject): readonly JsonObject[] {
  return objectsOf(data['dataPoints'] ?? data['data_points']);
}

/** Undefined: the point has no value. */
export function valueOf(point: JsonObject): { readonly value: number; readonly isInt: boolean } | undefined {
  const whole = point['asInt'] ?? point['as_int'];
  if (whole !== undefined && whole !== null) return { value: numberOf(whole), isInt: true };
  const double = point['asDouble'] ?? point['as_double'];
  return double === undefined || double === null ? undefined : { value: doubleOf(double), isInt: false };
}

/** DataPointFlags: there is no recorded value. */
export function hasNoValue(point: JsonObject): boolean {
  return (numberOf(point['flags']) & 1) === 1;
}

/** Attributes as a JSON object, for CSV and Parquet. Numbers that JSON does not have are strings. */
export function attributesText(attributes: Attributes): string {
  return JSON.stringify(attributes, (_, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  );
}

/** An attribute of a series or, if it has none with this name, of its resource. */
export function findAttribute(
  { attributes, resource }: Pick<AnySeries, 'attributes' | 'resource'>,
  name: string,
): AttributeValue | undefined {
  // Every object inherits a `constructor`, which is not an attribute.
  const holder = [attributes, resource.attributes].find((one) => Object.hasOwn(one, name));
  return holder?.[name];
}

/**
 * The attributes of a JSON object. Values of other kinds are converted to strings.
 * @throws Error if the text is invalid
 */
export function parseAttributes(text: string): Attributes {
  const entries = Object.entries(parseObject(text)).map(([key, value]): [string, AttributeValue] => [
    key,
    isAttributeValue(value) ? value : JSON.stringify(value),
  ]);
  return Object.fromEntries(entries);
}

function isAttributeValue(value: unknown): value is AttributeValue {
  return ['string', 'number', 'boolean'].includes(typeof value);
}
