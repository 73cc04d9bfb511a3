import type { DecodedPoint } from '../src/otlp/decode-request.fixture.js';

/**
 * Points as readable text: resources in order, each with its series and all their values. Times are seconds
 * since a start.
 */
export function describePoints(points: readonly DecodedPoint[], beginNs: bigint): string {
  const byResource = groupBy(points, ({ resource }) => describeAttributes(resource));
  return [...byResource]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([resource, own]) => `${resource}\n${describeSeries(own, beginNs)}\n`)
    .join('');
}

function groupBy(
  points: readonly DecodedPoint[],
  keyOf: (point: DecodedPoint) => string,
): ReadonlyMap<string, readonly DecodedPoint[]> {
  const groups = new Map<string, DecodedPoint[]>();
  for (const point of points) {
    const key = keyOf(point);
    groups.set(key, [...(groups.get(key) ?? []), point]);
  }
  return groups;
}

function describeSeries(points: readonly DecodedPoint[], beginNs: bigint): string {
  const seconds = (time: bigint) => Number(time - beginNs) / 1e9;
  const bySeries = groupBy(points, ({ name, unit, kind, attributes, start }) => {
    const since = start === 0n ? '' : ` since ${seconds(start)}`;
    return `  ${name} [${unit}] ${kind}${since} {${describeAttributes(attributes)}}:`;
  });
  return [...bySeries]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([series, own]) => `${series}${own.map((point) => describeValue(point, seconds)).join('')}\n`)
    .join('');
}

function describeValue({ time, value, flags }: DecodedPoint, seconds: (time: bigint) => number): string {
  return ` @${seconds(time)} ${flags === 0 ? round(value) : `none (flags ${flags})`}`;
}

/** Drops the last digits of a double, which may differ by the order of a sum. */
function round(value: DecodedPoint['value']): string {
  return String(typeof value === 'number' ? Number(value.toPrecision(12)) : value);
}

function describeAttributes(attributes: Readonly<Record<string, unknown>>): string {
  return Object.entries(attributes)
    .map(([key, value]) => `${key}=${String(value)}`)
    .toSorted()
    .join(' ');
}
