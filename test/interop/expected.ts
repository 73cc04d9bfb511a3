import type { DecodedPoint } from '../../src/otlp/decode-request.fixture.js';
import { translateLabel, translateMetric } from '../../src/prometheus/names.js';
import { keyOf, type Line } from './exposition.js';

/** A sample that Prometheus should have. */
export interface ExpectedSample extends Line {
  readonly timeMs: number;
}

/**
 * Samples that Prometheus should have for points with a value, in order.
 * @param isLabel which attributes of a resource become labels
 */
export function expectSamples(
  points: readonly DecodedPoint[],
  isLabel: (name: string) => boolean,
): readonly ExpectedSample[] {
  return points.flatMap((point) => {
    if (point.value === undefined) return [];
    const ofResource = Object.entries(point.resource).filter(([name]) => isLabel(name));
    const labels = [...ofResource, ...Object.entries(point.attributes)].map(([name, value]) => [
      translateLabel(name),
      String(value).replace(/^int /u, ''),
    ]);
    const name = translateMetric({ ...point, kind: kindOf(point) }).sample;
    const key = keyOf({ __name__: name, ...(Object.fromEntries(labels) as Record<string, string>) });
    return [{ key, value: Number(point.value), timeMs: Number(point.time / 1_000_000n) }];
  });
}

function kindOf({ kind }: DecodedPoint) {
  if (kind === 'gauge') return 'gauge';
  return kind.endsWith('true') ? 'counter' : 'updowncounter';
}
