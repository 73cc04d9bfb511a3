import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openHttpBackend } from '../exporters/otlp_http/http-backend.fixture.js';
import { createFakeSysfs } from '../receivers/rapl/fake-sysfs.fixture.js';
import { perfRefused } from '../receivers/rapl/perf-refused.fixture.js';
import { decodePoints, type DecodedPoint } from '../src/otlp/decode-request.fixture.js';
import { startAgent, until, writeConfig } from './agent.js';
import { interpolate, lastValues, total } from './sums.js';

interface Layout {
  readonly receivers: string;
  readonly processors?: string;
  /** Where OTLP goes. */
  readonly url: string;
}

/** A configuration with one pipeline to an OTLP backend, and no telemetry of its own. */
function writeOtlpConfig({ receivers, processors = '{}', url }: Layout): string {
  return writeConfig(`
receivers: ${receivers}
processors: ${processors}
exporters:
  otlp_http:
    endpoint: ${url}
    compression: none
    retry_on_failure: {initial_interval: 100ms, max_interval: 200ms}
service:
  pipelines:
    metrics: {receivers: [${idsOf(receivers)}], processors: [${idsOf(processors)}], exporters: [otlp_http]}
  telemetry: {metrics: {level: none}}
`);
}

function idsOf(section: string): string {
  return [...section.matchAll(/(\w+): \{/gu)].map(([, id]) => id).join(', ');
}

async function openBackend(t: TestContext, port = 0) {
  const backend = await openHttpBackend(t, { port });
  const points = (name: string): readonly DecodedPoint[] =>
    backend.received.flatMap(({ bytes }) => decodePoints(bytes)).filter((point) => point.name === name);
  return { ...backend, points };
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
    await sleep(1500);
    const signalled = BigInt(Date.now()) * 1_000_000n;
    assert.equal((await agent.stop()).code, 0);
    const rows = backend.points('hw.energy').filter(({ value }) => value !== undefined);
    const [first, last] = [rows[0], rows.at(-1)];
    assert.ok(first && last && rows.length > 100);
    assert.ok(last.time >= signalled - 1_000_000n, 'rows read before the signal are missing');
    // cpu-clock counts 1e9 a second, in units of 2^-32 J.
    const joules = Number(last.time - first.time) * 2 ** -32;
    assert.ok(Math.abs(Number(last.value) / joules - 1) < 1e-3, `${last.value} J, wanted ${joules} J`);
    const steps = rows.slice(1).map((row, i) => row.time - (rows[i]?.time ?? 0n));
    assert.ok(steps.every((step) => step > 0n));
  },
);

test('the ledger of a real machine adds up to what was measured, for processes that end, too', async (t) => {
  const backend = await openBackend(t);
  const receivers = '{process: {collection_interval: 200ms}, estimate: {collection_interval: 200ms}}';
  const agent = startAgent([
    'run',
    '-c',
    writeOtlpConfig({ receivers, processors: '{attribution: {}}', url: backend.url }),
  ]);
  await agent.waitFor(/Everything is ready/);
  execFileSync(process.execPath, ['-e', 'const end = Date.now() + 700; while (Date.now() < end);']);
  await sleep(500);
  assert.equal((await agent.stop()).code, 0);
  const parts = backend.points('ledger.energy');
  const settled = parts.reduce((latest, { time }) => (time > latest ? time : latest), 0n);
  const measured = interpolate(
    backend.points('hw.energy').filter(({ value }) => value !== undefined),
    settled,
  );
  assert.ok(measured !== undefined && measured > 1);
  const ledger = total(lastValues(parts));
  assert.ok(Math.abs(ledger - measured) < 2e-9, `the ledger has ${ledger} J of ${measured} J`);
  const attributed = total(
    lastValues(parts.filter(({ attributes }) => attributes['ledger.part'] === 'attributed')),
  );
  for (const view of ['process.energy', 'linux.cgroup.energy']) {
    const sum = total(lastValues(backend.points(view)));
    assert.ok(Math.abs(sum - attributed) < 1e-8, `${view} sums to ${sum} J of ${attributed} J`);
  }
});

test('a backend that comes back has every row and complete counters', async (t) => {
  const placeholder = createServer().listen(0, 'localhost');
  await once(placeholder, 'listening');
  const address = placeholder.address();
  assert.ok(address && typeof address === 'object');
  placeholder.close();
  const receivers = '{estimate: {collection_interval: 100ms}}';
  const url = `http://localhost:${address.port}`;
  const agent = startAgent(['run', '-c', writeOtlpConfig({ receivers, url })]);
  await agent.waitFor(/Everything is ready/);
  await sleep(1500);
  const backend = await openBackend(t, address.port);
  await until(() => backend.received.length > 0);
  assert.equal((await agent.stop()).code, 0);
  const rows = backend.points('hw.energy').filter(({ value }) => value !== undefined);
  assert.ok(rows.length >= 15);
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
