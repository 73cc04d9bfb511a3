import { createHash } from 'node:crypto';
import { ExportError } from '../errors.js';
import { createPlans } from '../model/plan.js';
import {
  attributesKey,
  type AnySeries,
  type HistogramMetric,
  type Metric,
  type Series,
} from '../model/series.js';
import { attributesText, isObject, parseAttributes } from '../recording/otlp-json.js';

/** A series in a database: the id by which points refer to it, and its description. */
export interface SeriesRecord {
  /** The same for equal metric, resource, attributes and start, independent of agent and time. */
  readonly id: bigint;
  readonly series: AnySeries;
}

/** A series in a request: its id, and the rest as text that is parsed on demand. */
export interface EncodedSeries {
  readonly id: bigint;
  readonly text: Buffer;
}

/** Encodes a series for requests. Done once per series. */
export const encodeSeries = createPlans((series: AnySeries): EncodedSeries => {
  const { metric, resource, attributes, start } = series;
  const { name, unit, kind, description } = metric;
  const fields = [name, unit, kind, valueTypeOf(metric), description, `${start}`].map((field) =>
    JSON.stringify(field),
  );
  const text = `[${fields.join(',')},${attributesText(resource.attributes)},${attributesText(attributes)}]`;
  return { id: identify(series), text: Buffer.from(text) };
});

/** Sums of histograms are doubles. */
export function valueTypeOf(metric: Metric | HistogramMetric): Metric['valueType'] {
  return 'valueType' in metric ? metric.valueType : 'double';
}

/**
 * 63 bits, so that it is positive in signed integers: among 10 million series, the probability of a collision
 * is 5 in a million.
 */
function identify({ metric: { name, unit, kind }, resource, attributes, start }: AnySeries): bigint {
  const identity = [
    name,
    unit,
    kind,
    attributesKey(resource.attributes),
    attributesKey(attributes),
    `${start}`,
  ];
  const digest = createHash('sha256').update(JSON.stringify(identity)).digest();
  return digest.readBigUInt64BE() >> 1n;
}

/** Maximum length of a series' text in messages. */
const maxShown = 100;

/**
 * Decodes the result of `encodeSeries`.
 * @throws ExportError, not retryable, if the text is invalid
 */
export function decodeSeries({ id, text }: EncodedSeries): SeriesRecord {
  const [name, unit, kind, valueType, description, start, resource, attributes] = parseFields(
    text.toString(),
  );
  const texts = { name, unit, description };
  const metric =
    kind === 'histogram' || kind === 'exponential_histogram'
      ? { ...texts, kind }
      : { ...texts, kind, valueType };
  const series = { metric, resource: { attributes: plain(resource) }, attributes: plain(attributes) };
  return { id, series: { ...series, start: BigInt(start) } };
}

type Fields = readonly [
  name: string,
  unit: string,
  kind: (Metric | HistogramMetric)['kind'],
  valueType: Metric['valueType'],
  description: string,
  start: string,
  resource: unknown,
  attributes: unknown,
];

function parseFields(text: string): Fields {
  const fields = parseList(text);
  const isSeries =
    fields.length === 8 &&
    fields.slice(0, 6).every((field) => typeof field === 'string') &&
    isInstant(String(fields[5]));
  // Only `encodeSeries` writes such a text, with valid kinds and types.
  if (isSeries) return fields as unknown as Fields;
  throw damaged('a series of eight fields', text);
}

/** Whether databases can store the instant. */
function isInstant(text: string): boolean {
  return /^-?\d+$/u.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

function parseList(text: string): readonly unknown[] {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list : [];
  } catch (error) {
    throw damaged('a series in JSON', text, error);
  }
}

function damaged(expected: string, text: string, cause?: unknown): ExportError {
  return new ExportError(`expected ${expected}, found ${text.slice(0, maxShown)}`, {
    retryable: false,
    cause,
  });
}

function plain(value: unknown): Series['attributes'] {
  return isObject(value) ? parseAttributes(JSON.stringify(value)) : {};
}
