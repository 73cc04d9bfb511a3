import type { AttributeValue, Attributes } from '../model/series.js';
import { isObject } from './otlp-json.js';

/** Attributes as a JSON object, as CSV and Parquet have them. */
export function attributesText(attributes: Attributes): string {
  return JSON.stringify(attributes);
}

/**
 * The attributes of a JSON object. Values of other kinds become texts.
 * @throws Error when the text is none
 */
export function parseAttributes(text: string): Attributes {
  const parsed: unknown = JSON.parse(text);
  if (!isObject(parsed)) throw new Error(`expected attributes as a JSON object, found ${text}`);
  const entries = Object.entries(parsed).map(([key, value]): [string, AttributeValue] => [
    key,
    isAttributeValue(value) ? value : JSON.stringify(value),
  ]);
  return Object.fromEntries(entries);
}

function isAttributeValue(value: unknown): value is AttributeValue {
  return ['string', 'number', 'boolean'].includes(typeof value);
}
