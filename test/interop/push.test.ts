import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DecodedPoint } from '../../src/otlp/decode-request.fixture.js';
import { until } from '../../src/testing/until.js';
import { writeConfig } from '../agent.js';
import { startCollector } from './collector.js';
import { expectSamples } from './expected.js';
import { keyOf, type Line } from './exposition.js';
import { assertNothingLost, startMeasuredAgent } from './measured-agent.js';
import { isWithout } from './peers.js';
import { startPrometheus } from './prometheus.js';

/** Those of otel-examples/prometheus-otlp/prometheus.yml. */
const promoted = new Set([
  'host.name',
  'process.pid',
  'process.executable.name',
  'process.owner',
  'process.linux.cgroup',
  'linux.cgroup.path',
  'systemd.unit',
  'systemd.slice',
  'container.id',
  'container.name',
  'k8s.pod.uid',
  'k8s.pod.name',
  'k8s.namespace.name',
  'slurm.job.id',
  'vm.name',
]);
const withoutPush = isWithout('prometheus-otlp');
const withoutCollector = isWithout('prometheus', 'otelcol');
const every = '{__name__=~".+"}';

/** Attributes that stay with the resource wherever the exporter sends those of workloads. */
const ofMachine = /^(?:cloud|deployment|host|os|service|telemetry)\./u;

for (const { what, config, settings, isLabel } of [
  {
    what: 'and promotes the resource attributes of workloads',
    config: () => 'otel-examples/prometheus-otlp/prometheus.yml',
    settings: '{}',
    isLabel: (name: string) => promoted.has(name),
  },
  {
    what: 'and promotes none, with the attributes of workloads on the points',
    config: () => writeConfig('storage: {tsdb: {out_of_order_time_window: 30m}}'),
    settings: '{identity: attributes}',
    isLabel: (name: string) => !ofMachine.test(name),
  },
]) {
  test(
    `Prometheus has every point that is pushed by OTLP, with its instant, ${what}`,
    { skip: withoutPush },
    async (t) => {
      const prometheus = await startPrometheus(t, 'prometheus-otlp', config(), [
        '--web.enable-otlp-receiver',
      ]);
      const agent = await startMeasuredAgent(t, {
        example: 'otel-examples/prometheus-otlp/joulemetry.yaml',
        exporter: 'otlp_http',
        settings,
      });
      await until(() => agent.meter.joules() > 40);
      assertNothingLost(await agent.finish(() => Infinity));
      const expected = expectSamples(agent.sent(), isLabel);
      const texts = expected.map(({ key, value, timeMs }) => `${key} ${timeMs} ${value}`).toSorted();
      const samples = await prometheus.query(`${every}[10m]`);
      const found = samples.filter(({ labels }) => labels['__name__'] !== 'target_info');
      assert.deepEqual(
        found.map(({ labels, value, timeMs }) => `${keyOf(labels)} ${timeMs} ${value}`).toSorted(),
        texts,
      );
      const series = new Set(expected.map(({ key }) => key)).size;
      const ofProcesses = new Set(found.map(({ labels }) => labels['process_pid'])).size;
      t.diagnostic(`${series} series of ${ofProcesses} processes, ${texts.length} samples by OTLP`);
      assert.ok(ofProcesses > 2);
      const [counted] = await prometheus.query(`count(last_over_time(${every}[10m]))`);
      assert.ok((counted?.value ?? 0) >= series);
    },
  );
}

test(
  'Prometheus scrapes of a Collector as many series as the agent sent it',
  { skip: withoutCollector },
  async (t) => {
    const over = 'exporters: {prometheus: {metric_expiration: 1h}}';
    const { written } = await startCollector(t, { over });
    const prometheus = await startPrometheus(t, 'prometheus', 'otel-examples/collector/prometheus.yml');
    const agent = await startMeasuredAgent(t, { exporter: 'otlp_grpc' });
    await until(() => agent.meter.joules() > 20);
    assertNothingLost(await agent.finish(() => written.points.length));
    // The agent has exited, so the Collector's page no longer changes.
    const last = new Map(expectSamples(agent.sent(), isAny).map((sample) => [sample.key, sample]));
    const { ended, lingering } = findEnded(agent.sent());
    const expected = [...last.values()].filter(({ key }) => !ended.has(key)).map(textOf);
    await untilSame(expected, async () => {
      const samples = await prometheus.query('{job="otelcol"}');
      return samples
        .filter(({ labels: { __name__: name = '' } }) => !/^(?:up|scrape_.*|target_info)$/u.test(name))
        .map(({ labels, value }) => ({ key: keyOf(labels), value }))
        .filter(({ key }) => !lingering.has(key))
        .map(textOf);
    });
    t.diagnostic(`${expected.length} series through the Collector; ${lingering.size} that ended may linger`);
  },
);

const isAny = () => true;

function textOf({ key, value }: Line): string {
  return `${key} ${value}`;
}

/**
 * Series whose last point has no value, and those of them that the Collector's prometheus exporter serves until
 * they expire: at the first point without a value it skips the rest of that metric.
 */
function findEnded(points: readonly DecodedPoint[]) {
  const ended = new Set<string>();
  const lingering = new Set<string>();
  let before = '';
  for (const point of points) {
    const metric = JSON.stringify([point.name, point.resource]);
    const follows = metric === before;
    before = point.value === undefined ? metric : '';
    for (const { key } of expectSamples([Object.assign({}, point, { value: 0 })], isAny)) {
      ended.delete(key);
      lingering.delete(key);
      if (point.value === undefined) ended.add(key);
      if (point.value === undefined && follows) lingering.add(key);
    }
  }
  return { ended, lingering };
}

/** Waits until both have the same lines; on a timeout it fails with the first few differences. */
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
