import { createHash } from 'node:crypto';
import { seriesKey, type Series } from '../model/series.js';

/**
 * Identifies a series and its start, the same in every process: 16 bytes as 22 letters, digits, "-" and "_". With
 * the instant, it is an id by which a backend finds points that are sent again.
 */
export function hashSeries(series: Series): string {
  const hash = createHash('sha256').update(seriesKey(series)).update(String(series.start));
  return hash.digest().subarray(0, 16).toString('base64url');
}
