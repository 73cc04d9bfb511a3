import { PointStream } from './decoder.js';
import { JsonLinesDecoder } from './json-lines-decoder.js';
import { createSink } from './recording.fixture.js';

/** Reads lines of OTLP JSON. */
export function decode(...lines: readonly (string | object)[]) {
  const sink = createSink();
  const stream = new PointStream(sink);
  const decoder = new JsonLinesDecoder(sink, stream);
  for (const line of lines) decoder.line(typeof line === 'string' ? line : JSON.stringify(line));
  stream.flush();
  return sink;
}

/** A line with these metrics of one resource. */
export function lineOf(metrics: readonly object[], scope?: object, resource: object = {}): object {
  return { resourceMetrics: [{ resource, scopeMetrics: [{ ...(scope && { scope }), metrics }] }] };
}

/** The scope of files that this project writes. */
export const ours = { name: 'joulemetry' };
/** A gauge with these points. */
export const gaugeOf = (points: readonly object[], more: object = {}) => ({
  name: 'x',
  unit: 'W',
  gauge: { dataPoints: points },
  ...more,
});
