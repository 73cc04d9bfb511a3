/**
 * Parses the value of OTEL_RESOURCE_ATTRIBUTES: comma-separated `key=value`, percent-encoded as in W3C Baggage.
 * @throws RangeError when a part is not a valid pair: the specification then discards everything. The message
 * does not contain the value, which may be secret
 */
export function parseResourceAttributes(text: string): Readonly<Record<string, string>> {
  const parts = text.split(',').filter((part) => part.trim() !== '');
  return Object.fromEntries(parts.map((part, index) => parsePair(part, index + 1)));
}

function parsePair(pair: string, number: number): readonly [string, string] {
  const [, key = '', value = ''] = /^([^=]*)=(.*)$/s.exec(pair) ?? [];
  try {
    if (key.trim() !== '') return [decodeURIComponent(key.trim()), decodeURIComponent(value.trim())];
  } catch {
    // Not percent-encoded: refused below, like every other invalid part.
  }
  const expected = 'expected key=value pairs between commas, percent-encoded';
  throw new RangeError(`${expected}, found something else at pair ${number}`);
}
