import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../src/contract/until.js';
import { startCollector } from './collector.js';
import { expectSamples } from './expected.js';
import { keyOf } from './exposition.js';
import { assertNothingLost, startMeasuredAgent } from './measured-agent.js';
import { isWithout } from './peers.js';
import { startPrometheus } from './prometheus.js';

/** Those of otel-examples/prometheus-otlp/prometheus.yml. */
const promoted = [
  'host.name',
  'process.pid',
  'process.executable.name',
  'process.owner',
  'process.linux.cgroup',
  'linux.cgroup.path',
];
const withoutPush = isWithout('prometheus-otlp');
const withoutCollector = isWithout('prometheus', 'otelcol');
const every = '{__name__=~".+"}';

test(
  'Prometheus has every point that is pushed by OTLP, with its instant',
  { skip: withoutPush },
  async (t) => {
    const prometheus = await startPrometheus(
      t,
      'prometheus-otlp',
      'otel-examples/prometheus-otlp/prometheus.yml',
      ['--web.enable-otlp-receiver'],
    );
    const agent = await startMeasuredAgent(t, {
      example: 'otel-examples/prometheus-otlp/joulemetry.yaml',
      exporter: 'otlp_http',
    });
    await until(() => agent.meter.joules() > 40);
    assertNothingLost(await agent.finish(() => Infinity));
    const expected = expectSamples(agent.sent(), (name) => promoted.includes(name));
    const texts = expected.map(({ key, value, timeMs }) => `${key} ${timeMs} ${value}`).toSorted();
    const samples = await prometheus.query(`${every}[10m]`);
    const found = samples.filter(({ labels }) => labels['__name__'] !== 'target_info');
    assert.deepEqual(
      found.map(({ labels, value, timeMs }) => `${keyOf(labels)} ${timeMs} ${value}`).toSorted(),
      texts,
    );
    const series = new Set(expected.map(({ key }) => key)).size;
    t.diagnostic(`${series} series, ${texts.length} samples by OTLP`);
    const [counted] = await prometheus.query(`count(last_over_time(${every}[10m]))`);
    assert.ok((counted?.value ?? 0) >= series);
  },
);

test(
  'Prometheus scrapes of a Collector as many series as the agent sent it',
  { skip: withoutCollector },
  async (t) => {
    const { written } = await startCollector(t);
    const prometheus = await startPrometheus(t, 'prometheus', 'otel-examples/collector/prometheus.yml');
    const agent = await startMeasuredAgent(t, { exporter: 'otlp_grpc' });
    await until(() => agent.meter.joules() > 20);
    assertNothingLost(await agent.finish(() => written.points.length));
    // The agent is gone: what the Collector serves stays as it is.
    const all = new Map(expectSamples(agent.sent(), () => true).map((sample) => [sample.key, sample]));
    const ended = agent.sent().filter(({ value }) => value === undefined);
    const endedKeys = new Set(
      expectSamples(
        ended.map((point) => ({ ...point, value: 0 })),
        () => true,
      ).map(({ key }) => key),
    );
    const living = [...all.values()].filter(({ key }) => !endedKeys.has(key));
    const expected = living.map(({ key, value }) => `${key} ${value}`);
    await untilSame(expected, async () => {
      const samples = await prometheus.query('{job="otelcol"}');
      return samples
        .filter(({ labels: { __name__: name = '' } }) => !/^(?:up|scrape_.*|target_info)$/u.test(name))
        .map(({ labels, value }) => `${keyOf(labels)} ${value}`);
    });
    t.diagnostic(`${expected.length} series through the Collector`);
  },
);

/** Waits until both have the same lines, and fails with the first few that differ when they never have. */
async function untilSame(wanted: readonly string[], read: () => Promise<readonly string[]>): Promise<void> {
  const text = wanted.toSorted().join('\n');
  let found: readonly string[] = [];
  await until(async () => {
    await sleep(500);
    found = await read();
    return found.toSorted().join('\n') === text;
  }).catch(() => {
    const missing = wanted.filter((line) => !found.includes(line));
    const extra = found.filter((line) => !wanted.includes(line));
    assert.fail(
      `${missing.length} missing, ${extra.length} extra: ${[...missing.slice(0, 2), ...extra.slice(0, 2)].join('\n')}`,
    );
  });
}
