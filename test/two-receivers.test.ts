import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openHttpBackend } from '../src/http/http-backend.fixture.js';
import { ownAddress } from '../src/http/own-address.fixture.js';
import { perfEventsRefused } from '../src/linux/perf/refused.fixture.js';
import { decodePoints, type DecodedPoint } from '../src/otlp/decode-request.fixture.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { until } from '../src/testing/until.js';
import { startAgent, writeConfig } from './agent.js';

const resource = 'resource: {detectors: [env], attributes: [{key: host.name, value: here, action: upsert}]}';

/** Each of two receivers in a pipeline of its own, or both in one. */
function pipelinesOf(ids: readonly string[], areSeparate: boolean): string {
  const groups = areSeparate ? ids.map((id) => [id]) : [ids];
  return groups
    .map(
      (receivers, i) =>
        `metrics/${i}: {receivers: [${receivers.join(', ')}], processors: [resource], exporters: [otlp_http]}`,
    )
    .join(', ');
}

function configOf(receivers: string, pipelines: string, url: string): string {
  return writeConfig(`
receivers: {${receivers}}
processors: {${resource}}
exporters: {otlp_http: {endpoint: ${url}, compression: none, batch: {flush_timeout: 50ms}}}
service: {pipelines: {${pipelines}}, telemetry: {metrics: {level: none}}}
`);
}

const identityOf = ({ name, resource: who, attributes }: DecodedPoint) =>
  JSON.stringify([name, who, Object.entries(attributes).map(String).toSorted()]);

/** No two points of a series have the same instant, and no series has two start times. */
function assertOneWriter(points: readonly DecodedPoint[]): void {
  const starts = new Map<string, bigint>();
  for (const point of points) {
    const known = starts.get(identityOf(point)) ?? point.start;
    assert.equal(point.start, known, `two writers of ${identityOf(point)}`);
    starts.set(identityOf(point), known);
  }
  const instants = new Set(points.map((point) => `${identityOf(point)} ${point.time}`));
  assert.equal(instants.size, points.length);
}

interface Case {
  readonly metric: string;
  readonly receivers: string;
  readonly ids: readonly string[];
  readonly skip?: string | false;
  /** Whether a value of the metric is plausible. */
  readonly isTrue: (value: number, seconds: number) => boolean;
}

const fast = 'sampling_interval: 20ms, flush_interval: 100ms';

const cases: readonly Case[] = [
  {
    metric: 'system.cpu.logical.count',
    receivers: 'host: {collection_interval: 100ms}, host/slow: {collection_interval: 200ms}',
    ids: ['host', 'host/slow'],
    isTrue: (value) => value === availableParallelism(),
  },
  {
    metric: 'perf.event.time',
    receivers: `perf: {events: [task-clock], ${fast}}, perf/p: {events: [task-clock], ${fast}}`,
    ids: ['perf', 'perf/p'],
    skip: perfEventsRefused,
    isTrue: (value, seconds) => value <= 1.05 * availableParallelism() * seconds,
  },
  {
    metric: 'process.memory.usage',
    receivers: 'process: {collection_interval: 100ms}, process/b: {collection_interval: 200ms}',
    ids: ['process', 'process/b'],
    isTrue: (value) => value >= 0,
  },
];

for (const { metric, receivers, ids, skip = false, isTrue } of cases) {
  for (const areSeparate of [false, true]) {
    const where = areSeparate ? 'two pipelines' : 'one pipeline';
    test(
      `the agent publishes ${metric} of ${ids.join(' and ')} once when they share ${where}`,
      { skip },
      async (t) => {
        const backend = await openHttpBackend(t, { address: ownAddress, port: 0 });
        const points = () => backend.received.flatMap(({ bytes }) => decodePoints(bytes));
        const ofMetric = () => points().filter(({ name }) => name === metric);
        const agent = startAgent(['-c', configOf(receivers, pipelinesOf(ids, areSeparate), backend.url)]);
        await until(() => new Set(ofMetric().map(({ time }) => time)).size >= 5);
        const { code, stderr } = await agent.stop();
        assert.equal(code, 0, stderr);
        assertOneWriter(points());
        for (const { value, time, start } of ofMetric()) {
          assert.ok(value === undefined || isTrue(Number(value), Number(time - start) / 1e9), String(value));
        }
        const warnings = stderr.split('\n').filter((line) => /Leaving out series of receiver/u.test(line));
        assert.equal(warnings.length, 1, stderr);
      },
    );
  }
}

/** Records this machine as an agent with the same resource attributes would. */
async function recordHost(): Promise<string> {
  const path = join(createFolder(), 'host.json');
  const config = writeConfig(`
receivers: {host: {collection_interval: 50ms}}
processors: {${resource}}
exporters: {file: {path: ${path}}}
service:
  pipelines: {metrics: {receivers: [host], processors: [resource], exporters: [file]}}
  telemetry: {metrics: {level: none}}
`);
  const agent = startAgent(['-c', config]);
  await agent.waitFor(/ready/u);
  await agent.stop();
  return path;
}

test('the agent leaves out the metrics of a replay for a machine that it measures itself', async (t) => {
  const backend = await openHttpBackend(t, { address: ownAddress, port: 0 });
  const recorded = await recordHost();
  const points = () => backend.received.flatMap(({ bytes }) => decodePoints(bytes));
  const receivers = `host: {collection_interval: 100ms}, replay: {files: [${recorded}], at_end: wait}`;
  const agent = startAgent(['-c', configOf(receivers, pipelinesOf(['host', 'replay'], false), backend.url)]);
  await agent.waitFor(/Replayed/u);
  await until(() => points().filter(({ name }) => name === 'system.memory.limit').length >= 3);
  const { stderr } = await agent.stop();
  const limits = points().filter(({ name }) => name === 'system.memory.limit');
  assert.equal(new Set(limits.map(({ value }) => value)).size, 1, 'no sum of two machines');
  assert.match(stderr, /Leaving out series of receiver "replay" that receiver "host" publishes/u);
});
