import type { Attributes } from '../../src/model/series.js';

/**
 * The attributes in OTEL_RESOURCE_ATTRIBUTES: `key=value` pairs between commas, percent-encoded as in W3C
 * Baggage.
 * @throws Error when a part is no such pair
 */
export function parseResourceAttributes(text: string): Attributes {
  const parts = text.split(',').filter((part) => part.trim() !== '');
  return Object.fromEntries(parts.map(parsePair));
}

function parsePair(pair: string): [string, string] {
  const [, key = '', value = ''] = /^([^=]*)=(.*)$/s.exec(pair) ?? [];
  if (key.trim() === '') throw new Error(describe(pair));
  try {
    return [decodeURIComponent(key.trim()), decodeURIComponent(value.trim())];
  } catch (error) {
    throw new Error(describe(pair), { cause: error });
  }
}

function describe(pair: string): string {
  return `Cannot use OTEL_RESOURCE_ATTRIBUTES: expected key=value pairs between commas, percent-encoded, found "${pair}"`;
}
