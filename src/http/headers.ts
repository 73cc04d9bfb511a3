import { validateHeaderName, validateHeaderValue } from 'node:http';
import { describeError } from '../errors.js';

/**
 * What is wrong with headers that a user configured.
 * @param path for messages: `headers`
 */
export function checkHeaders(headers: Readonly<Record<string, string>>, path: string): string[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
      return [];
    } catch (error) {
      return [`${path}.${name}: ${describeError(error)}`];
    }
  });
}
