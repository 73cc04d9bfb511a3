import type { AttributeValue, Attributes } from '../model/series.js';
import { parseObject } from './otlp-json.js';

/** Attributes as a JSON object, as CSV and Parquet have them. */
export function attributesText(attributes: Attributes): string {
  return JSON.stringify(attributes);
}

/**
 * The attributes of a JSON object. Values of other kinds become texts.
 * @throws Error when the text is none
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
