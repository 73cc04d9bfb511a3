import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DecodedPoint } from '../../src/otlp/decode-request.fixture.js';
import { until } from '../../src/testing/until.js';
import { startAgent, writeConfig } from '../agent.js';
import { startCollector } from './collector.js';
import { OutputFile } from './output-file.js';
import { isWithout } from './peers.js';

/** Points with a value, grouped by series. */
function groupBySeries(points: readonly DecodedPoint[]): ReadonlyMap<string, readonly DecodedPoint[]> {
  const groups = new Map<string, DecodedPoint[]>();
  for (const point of points.filter(({ value }) => value !== undefined)) {
    const key = JSON.stringify([point.name, point.resource, point.attributes]);
    groups.set(key, [...(groups.get(key) ?? []), point]);
  }
  return groups;
}

test(
  'a Collector gets consecutive deltas and add up to the counters',
  { skip: isWithout('otelcol') },
  async (t) => {
    const collector = await startCollector(t);
    const cumulative = new OutputFile();
    const config = writeConfig(`
receivers: {host: {collection_interval: 100ms}, simulator: {}}
processors: {cumulative_to_delta: {}}
exporters:
  file: {path: ${cumulative.path}, flush_interval: 100ms}
  otlp_grpc: {endpoint: "localhost:4317", tls: {insecure: true}}
service:
  pipelines:
    metrics: {receivers: [host, simulator], processors: [cumulative_to_delta], exporters: [file, otlp_grpc]}
  telemetry: {metrics: {level: none}}
`);
    const node = startAgent(['run', '-c', config]);
    await until(() => collector.written.points.length > 1000);
    assert.equal((await node.stop()).code, 0);
    await collector.stop();
    const counters = groupBySeries(cumulative.points.filter(({ kind }) => kind === 'sum 2 true'));
    const deltas = groupBySeries(collector.written.points.filter(({ kind }) => kind === 'sum 1 true'));
    assert.equal(collector.written.points.filter(({ kind }) => kind === 'sum 2 true').length, 0);
    assert.ok(deltas.size > 10, `${deltas.size} series of deltas`);
    for (const [key, points] of deltas) {
      const whole = counters.get(key) ?? [];
      const [first] = points;
      const last = Number(whole.at(-1)?.value);
      // Value of the counter where the first delta starts.
      const base = Number(whole.find(({ time }) => time === first?.start)?.value ?? 0);
      const sum = points.reduce((total, { value }) => total + Number(value), 0);
      assert.ok(
        Math.abs(sum - (last - base)) <= 1e-12 * last,
        `${key}: expected ${last - base}, found ${sum}`,
      );
      for (const [i, point] of points.entries()) {
        if (i > 0) assert.equal(point.start, points[i - 1].time);
      }
    }
    t.diagnostic(`${deltas.size} series of deltas`);
  },
);
