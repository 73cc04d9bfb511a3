import { finiteNumberOf, isObject, objectOf, type JsonObject } from '../../src/recording/otlp-json.js';

/** A value recorded by the API. */
export interface Point {
  /** Its source: node, metric and, if known, the meter and its port, and other labels. */
  readonly id: string;
  readonly node: string;
  readonly metric: string;
  /** Unix time in nanoseconds, on the API's clock. */
  readonly at: bigint;
  readonly value: number;
}

/** Metrics of BMCs end in `_amp`: the metrics of clusters in github.com/grid5000/reference-repository. */
const suffixes = {
  _watt: 'power',
  _celsius: 'temperature',
  _volt: 'voltage',
  _ampere: 'current',
  _amp: 'current',
} as const;

export type Quantity = (typeof suffixes)[keyof typeof suffixes];

/** The quantity of a metric, by name suffix. Undefined: something else. */
export function findQuantity(metric: string): Quantity | undefined {
  return Object.entries(suffixes).find(([suffix]) => metric.endsWith(suffix))?.[1];
}

/**
 * The points of an answer, in time order. Invalid items are left out.
 * @throws Error if it is not a list
 */
export function parsePoints(text: string): readonly Point[] {
  const records = parseList(text);
  const points = records.flatMap((record) => parsePoint(record) ?? []);
  if (records.length > 0 && points.length === 0) {
    throw new Error('expected records with timestamp, device_id, metric_id and value, found others');
  }
  return points.toSorted((a, b) => Number(a.at - b.at));
}

function parseList(text: string): readonly unknown[] {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (error) {
    throw new Error('expected a list in JSON, found other text', { cause: error });
  }
  if (Array.isArray(answer)) return answer;
  const { message } = objectOf(answer);
  throw new Error(
    `expected a list in JSON, found ${typeof message === 'string' ? message : 'something else'}`,
  );
}

function parsePoint(record: unknown): Point | undefined {
  if (!isObject(record)) return undefined;
  const { timestamp, device_id: node, metric_id: metric, labels } = record;
  const value = finiteNumberOf(record['value']);
  const at = typeof timestamp === 'string' ? parseInstant(timestamp) : undefined;
  if (typeof node !== 'string' || typeof metric !== 'string' || at === undefined || value === undefined)
    return undefined;
  return { id: [node, metric, ...describeLabels(objectOf(labels))].join('/'), node, metric, at, value };
}

/** What distinguishes series of one metric: meters and their ports, and labels such as `psu=1`. */
function describeLabels({ _device_orig: origin, ...labels }: JsonObject): readonly string[] {
  const meters = (Array.isArray(origin) ? origin : [origin]).filter((one) => typeof one === 'string');
  const others = Object.entries(labels).flatMap(([name, value]) =>
    name.startsWith('_') || (typeof value !== 'string' && typeof value !== 'number')
      ? []
      : `${name}=${value}`,
  );
  return [...meters, ...others.toSorted()];
}

/** Parses `2026-01-01T00:00:00.007812+01:00`, to the microsecond, to nanoseconds. */
function parseInstant(text: string): bigint | undefined {
  const [, date, fraction = '', zone] =
    /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)$/u.exec(text) ?? [];
  if (date === undefined || zone === undefined) return undefined;
  const ms = Date.parse(`${date.replace(' ', 'T')}${zone.replace(/(\d\d)(\d\d)$/u, '$1:$2')}`);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
