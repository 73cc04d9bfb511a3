import assert from 'node:assert/strict';
import {
  listPoints,
  type DecodedPoint,
  type ResourceMetrics,
} from '../../src/otlp/decode-request.fixture.js';

/** A request as OTLP JSON. */
export interface JsonRequest {
  readonly resourceMetrics?: readonly ResourceMetrics[];
}

/** The points of requests in JSON. */
export function pointsOf(requests: readonly JsonRequest[]): readonly DecodedPoint[] {
  return requests.flatMap(({ resourceMetrics = [] }) => listPoints(resourceMetrics));
}

/** Fails, with the first few differences, unless both lists have the same points equally often. */
export function assertSamePoints(found: readonly DecodedPoint[], wanted: readonly DecodedPoint[]): void {
  const missing = subtract(wanted, found);
  const extra = subtract(found, wanted);
  assert.deepEqual(
    {
      missing: missing.length,
      extra: extra.length,
      examples: [...missing.slice(0, 2), ...extra.slice(0, 2)],
    },
    { missing: 0, extra: 0, examples: [] },
    `${found.length} points found, ${wanted.length} wanted`,
  );
}

/** All fields of a point as text. */
export function textOf(point: DecodedPoint): string {
  const { resource, scope, name, unit, description, kind, attributes, start, time, value, flags } = point;
  const said = [scope, name, unit, description, kind, start, time, value ?? 'none', flags].map(String);
  return JSON.stringify([sorted(resource), sorted(attributes), ...said]);
}

function sorted(attributes: Readonly<Record<string, unknown>>) {
  return Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** Points of one list that the other lacks or has less often. */
export function subtract(from: readonly DecodedPoint[], other: readonly DecodedPoint[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const text of other.map(textOf)) counts.set(text, (counts.get(text) ?? 0) + 1);
  return from.map(textOf).filter((text) => {
    const left = counts.get(text) ?? 0;
    counts.set(text, left - 1);
    return left <= 0;
  });
}
