import type { DecodedPoint } from '../src/otlp/decode-request.fixture.js';

/** The value of a cumulative curve at an instant, linear between its points; undefined outside of them. */
export function interpolate(points: readonly DecodedPoint[], time: bigint): number | undefined {
  const sorted = points.toSorted((a, b) => (a.time < b.time ? -1 : 1));
  const after = sorted.findIndex((point) => point.time >= time);
  const [before, next] = [sorted[after - 1], sorted[after]];
  if (next?.time === time) return Number(next.value);
  if (!before || !next) return undefined;
  const share = Number(time - before.time) / Number(next.time - before.time);
  return Number(before.value) + share * (Number(next.value) - Number(before.value));
}

/** The last values of cumulative points, each series once, without gaps. */
export function lastValues(points: readonly DecodedPoint[]): number[] {
  const latest = new Map<string, DecodedPoint>();
  for (const point of points) {
    const key = JSON.stringify([point.resource, point.attributes, String(point.start)]);
    const known = latest.get(key);
    if (point.value !== undefined && (!known || known.time <= point.time)) latest.set(key, point);
  }
  return [...latest.values()].map(({ value }) => Number(value));
}

/** Their sum. */
export function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
