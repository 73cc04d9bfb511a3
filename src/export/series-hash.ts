import { createHash } from 'node:crypto';
import { attributesKey, type Series } from '../model/series.js';

/**
 * Identifies a series and its start, the same in every process: 16 bytes as 22 letters, digits, "-" and "_". With
 * the instant, it is an id by which a backend finds points that are sent again.
 */
export function hashSeries({ metric, resource, attributes, start }: Series): string {
  const identity = `${metric.name}\n${attributesKey(attributes)}\n${attributesKey(resource.attributes)}`;
  const hash = createHash('sha256').update(identity).update(String(start));
  return hash.digest().subarray(0, 16).toString('base64url');
}
