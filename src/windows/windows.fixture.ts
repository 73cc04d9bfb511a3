import type { Attributes, MetricKind, Series } from '../model/series.js';

export const epoch = 1_800_000_000_000_000_000n;

/** For tests: an instant this many seconds after the epoch, Unix time in nanoseconds. */
export function unixNs(seconds: number): bigint {
  return epoch + BigInt(Math.round(seconds * 1e9));
}

interface Described {
  readonly kind?: MetricKind;
  readonly attributes?: Attributes;
  readonly resource?: Attributes;
  readonly startS?: number;
}

/** For tests: a series, by default a counter without attributes that starts at the epoch. */
export function createSeries(
  name: string,
  { kind = 'counter', attributes = {}, resource = {}, startS = 0 }: Described = {},
): Series {
  const metric = { name, unit: '1', description: '', kind, valueType: 'double' } as const;
  return { metric, resource: { attributes: resource }, attributes, start: unixNs(startS) };
}
