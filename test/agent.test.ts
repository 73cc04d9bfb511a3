import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { createFakeSysfs } from '../receivers/rapl/fake-sysfs.fixture.js';
import { openHttpBackend } from '../src/http/http-backend.fixture.js';
import { ownAddress } from '../src/http/own-address.fixture.js';
import { perfRefused } from '../src/linux/perf/refused.fixture.js';
import { decodePoints, type DecodedPoint } from '../src/otlp/decode-request.fixture.js';
import { until } from '../src/testing/until.js';
import { startAgent, writeConfig } from './agent.js';
import { interpolate, lastValues, total } from './sums.js';

interface Layout {
  readonly receivers: string;
  readonly processors?: string;
  /** Endpoint for OTLP. */
  readonly url: string;
  /** In addition to OTLP. */
  readonly exporters?: string;
}

/** A configuration with one pipeline to an OTLP backend, without own telemetry. */
function writeOtlpConfig({ receivers, processors = '{}', url, exporters = '{}' }: Layout): string {
  const exporterIds = ['otlp_http', ...idsOf(exporters).split(', ').filter(Boolean)].join(', ');
  return writeConfig(`
receivers: ${receivers}
processors: ${processors}
exporters:
  ${exporters.slice(1, -1)}
  otlp_http:
    endpoint: ${url}
    compression: none
    retry_on_failure: {initial_interval: 100ms, max_interval: 200ms}
service:
  pipelines:
    metrics: {receivers: [${idsOf(receivers)}], processors: [${idsOf(processors)}], exporters: [${exporterIds}]}
  telemetry: {metrics: {level: none}}
`);
}

function idsOf(section: string): string {
  return [...section.matchAll(/(\w+): \{/gu)].map(([, id]) => id).join(', ');
}

async function openBackend(t: TestContext, port = 0) {
  const backend = await openHttpBackend(t, { address: ownAddress, port });
  const points = (name: string): readonly DecodedPoint[] =>
    backend.received.flatMap(({ bytes }) => decodePoints(bytes)).filter((point) => point.name === name);
  return { ...backend, points };
}

function powerBetween(a: DecodedPoint, b: DecodedPoint): number {
  return (1e9 * (Number(b.value) - Number(a.value))) / Number(b.time - a.time);
}

test(
  'the agent delivers every row of a 10 kHz sampler until SIGTERM, with the true energy',
  { skip: perfRefused },
  async (t) => {
    const sysfs = createFakeSysfs(t);
    sysfs.writePmu({ 'energy-pkg': 'event=0x00' });
    const backend = await openBackend(t);
    const rapl = `rapl: {sysfs: ${sysfs.root}, interface: perf_event, sampling_interval: 100us, flush_interval: 100ms}`;
    const agent = startAgent(['run', '-c', writeOtlpConfig({ receivers: `{${rapl}}`, url: backend.url })]);
    await agent.waitFor(/Everything is ready/);
    // A flush contains 1,000 rows, fewer where readings were missed.
    await until(() => backend.received.length > 5);
    const signalled = BigInt(Date.now()) * 1_000_000n;
    assert.equal((await agent.stop()).code, 0);
    const rows = backend.points('hw.energy').filter(({ value }) => value !== undefined);
    const [first, last] = [rows[0], rows.at(-1)];
    assert.ok(first && last && rows.length > 100);
    assert.ok(last.time >= signalled - 1_000_000n, 'rows read before the signal are missing');
    // cpu-clock counts 1e9 a second, in units of 2^-32 J. A few rows may have been delayed between count and
    // timestamp.
    const watts = rows.slice(rows.length / 2).map((row, i) => powerBetween(rows[i] ?? first, row));
    const median = watts.toSorted((a, b) => a - b)[Math.floor(watts.length / 2)] ?? NaN;
    assert.ok(Math.abs(median / (1e9 * 2 ** -32) - 1) < 1e-3, `${median} W`);
    const steps = rows.slice(1).map((row, i) => row.time - (rows[i]?.time ?? 0n));
    assert.ok(steps.every((step) => step > 0n));
  },
);

test('the ledger of a real machine adds up to the measured energy, including that of processes that end', async (t) => {
  const backend = await openBackend(t);
  const receivers = '{process: {collection_interval: 200ms}, estimate: {collection_interval: 200ms}}';
  const agent = startAgent([
    'run',
    '-c',
    writeOtlpConfig({ receivers, processors: '{attribution: {}}', url: backend.url }),
  ]);
  await agent.waitFor(/Everything is ready/);
  execFileSync(process.execPath, ['-e', 'while (process.cpuUsage().user < 700_000);']);
  const requests = backend.received.length;
  await until(() => backend.received.length > requests + 2);
  assert.equal((await agent.stop()).code, 0);
  const parts = backend.points('ledger.energy');
  const settled = parts.reduce((latest, { time }) => (time > latest ? time : latest), 0n);
  const measured = interpolate(
    backend.points('hw.host.energy').filter(({ value }) => value !== undefined),
    settled,
  );
  assert.ok(measured !== undefined && measured > 0.5);
  const ledger = total(lastValues(parts));
  assert.ok(Math.abs(ledger - measured) < 2e-9, `the ledger has ${ledger} J of ${measured} J`);
  const attributed = total(
    lastValues(parts.filter(({ attributes }) => attributes['ledger.part'] === 'attributed')),
  );
  for (const view of ['process.energy', 'program.energy', 'systemd.unit.energy', 'k8s.pod.energy']) {
    const sum = total(lastValues(backend.points(view)));
    assert.ok(Math.abs(sum - attributed) < 1e-8, `${view} sums to ${sum} J of ${attributed} J`);
  }
});

test('a backend that comes back receives every row and complete counters', async (t) => {
  const { url, port, close } = await openBackend(t);
  await close();
  const receivers = '{estimate: {collection_interval: 100ms}}';
  const exporters = '{debug: {verbosity: normal}}';
  const agent = startAgent(['run', '-c', writeOtlpConfig({ receivers, exporters, url })]);
  await agent.waitFor(/Cannot export to/);
  await agent.waitFor(/(?:hw\.host\.energy[^]*?){15}/);
  const backend = await openBackend(t, port);
  await until(() => backend.received.length > 0);
  const { code, stderr } = await agent.stop();
  assert.equal(code, 0);
  const points = backend.points('hw.host.energy').filter(({ value }) => value !== undefined);
  // A request whose answer was lost arrives twice.
  const rows = [...new Map(points.map((point) => [point.time, point])).values()];
  assert.ok(rows.length >= [...stderr.matchAll(/ hw\.host\.energy.* J$/gm)].length, stderr);
  assert.ok(
    rows.some(({ value }) => value === 0),
    'the first row is missing',
  );
  const values = rows.toSorted((a, b) => (a.time < b.time ? -1 : 1)).map(({ value }) => Number(value));
  assert.deepEqual(
    values,
    values.toSorted((a, b) => a - b),
  );
});

test('the default configuration starts where no cgroup hierarchy is mounted', async () => {
  const settings = [
    'receivers.cgroup.cgroupfs=/nowhere',
    'exporters.prometheus.endpoint=localhost:0',
    'extensions.health_check.endpoint=localhost:0',
    'service.telemetry.metrics.level=none',
  ];
  const agent = startAgent(['run', ...settings.flatMap((setting) => ['--set', setting])]);
  await agent.waitFor(/cgroup: Left out: no cgroup hierarchy that can be read/);
  await agent.waitFor(/Everything is ready/);
  assert.equal((await agent.stop()).code, 0);
});
