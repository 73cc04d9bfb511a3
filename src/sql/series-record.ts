import { createHash } from 'node:crypto';
import { createPlans } from '../model/plan.js';
import { attributesKey, resourceKey, type Metric, type Series } from '../model/series.js';
import { attributesText, isObject, parseAttributes } from '../recording/otlp-json.js';

/** A series as databases know it: the number by which points refer to it, and what it is. */
export interface SeriesRecord {
  /** The same for the same metric, resource, attributes and start, whichever agent writes it and whenever. */
  readonly id: bigint;
  readonly series: Series;
}

/** A series on its way to a database: its number, and the rest as a text that only those read who need it. */
export interface EncodedSeries {
  readonly id: bigint;
  readonly text: Buffer;
}

/** The record of a series, as it is part of a request. Made once. */
export const encodeSeries = createPlans((series: Series): EncodedSeries => {
  const { metric, resource, attributes, start } = series;
  const { name, unit, kind, valueType, description } = metric;
  const fields = [name, unit, kind, valueType, description, `${start}`].map((field) => JSON.stringify(field));
  const text = `[${fields.join(',')},${attributesText(resource.attributes)},${attributesText(attributes)}]`;
  return { id: identify(series), text: Buffer.from(text) };
});

/** 63 bits, so that it is positive wherever integers have a sign: of 10 million series, two share one in 5 of a million cases. */
function identify({ metric: { name, unit, kind }, resource, attributes, start }: Series): bigint {
  const identity = [name, unit, kind, resourceKey(resource), attributesKey(attributes), `${start}`];
  const digest = createHash('sha256').update(JSON.stringify(identity)).digest();
  return digest.readBigUInt64BE() >> 1n;
}

/**
 * What `encodeSeries` made of a series.
 * @throws Error when the text is none of its
 */
export function decodeSeries({ id, text }: EncodedSeries): SeriesRecord {
  const fields: unknown = JSON.parse(text.toString());
  if (!Array.isArray(fields) || fields.length !== 8)
    throw new Error('expected a series, found something else');
  const [name, unit, kind, valueType, description, start, resource, attributes] = fields as [
    string,
    string,
    Metric['kind'],
    Metric['valueType'],
    string,
    string,
    ...unknown[],
  ];
  const metric = { name, unit, description, kind, valueType };
  const series = { metric, resource: { attributes: plain(resource) }, attributes: plain(attributes) };
  return { id, series: { ...series, start: BigInt(start) } };
}

function plain(value: unknown): Series['attributes'] {
  return isObject(value) ? parseAttributes(JSON.stringify(value)) : {};
}
