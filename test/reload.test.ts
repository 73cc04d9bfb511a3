import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openHttpBackend, type HttpBackend } from '../src/http/http-backend.fixture.js';
import { findOrAdd } from '../src/model/plan.js';
import { decodePoints, type DecodedPoint } from '../src/otlp/decode-request.fixture.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { until } from '../src/testing/until.js';
import { startAgent, type Agent } from './agent.js';
import { total } from './sums.js';

/** A frequently read receiver, attribution, and an exporter that is kept. */
interface Setup {
  readonly receivers?: string;
  readonly exporters?: string;
  readonly receiverIds?: string;
  readonly exporterIds?: string;
}

function describe(
  endpoint: string,
  { receivers = '', exporters = '', receiverIds = '', exporterIds = '' }: Setup = {},
): string {
  return `
receivers:
  simulator: {sampling_interval: 10ms, collection_interval: 100ms, flush_interval: 100ms}
  ${receivers}
processors: {attribution: {}}
exporters:
  otlp_http: {endpoint: "${endpoint}", batch: {flush_timeout: 50ms}}
  ${exporters}
service:
  pipelines:
    metrics:
      receivers: [simulator${receiverIds}]
      processors: [attribution]
      exporters: [otlp_http${exporterIds}]
  telemetry: {metrics: {level: none}}
`;
}

function pointsOf(backend: HttpBackend): readonly DecodedPoint[] {
  return backend.received.filter(({ status }) => status === 200).flatMap(({ bytes }) => decodePoints(bytes));
}

function seriesOf({ name, resource, attributes }: DecodedPoint): string {
  return JSON.stringify([name, resource, attributes]);
}

/** Counts the log lines of reloads to wait for the end of each. */
async function reload(agent: Agent, expected: RegExp): Promise<string> {
  process.kill(agent.pid, 'SIGHUP');
  return agent.waitFor(expected);
}

function start(t: TestContext, text: string, ...args: readonly string[]) {
  const path = join(createFolder(), 'config.yaml');
  const write = (next: string) => writeFileSync(path, next);
  write(text);
  const agent = startAgent(['run', '-c', path, ...args]);
  t.after(() => agent.stop('SIGKILL'));
  return { agent, path, write };
}

test('an exporter is added, changed and removed by SIGHUP, while the totals, their starts and the other exporter continue', async (t) => {
  const [stays, first, second] = [
    await openHttpBackend(t),
    await openHttpBackend(t),
    await openHttpBackend(t),
  ];
  const target = join(createFolder(), 'target');
  writeFileSync(target, first.url);
  const other = {
    exporters: `otlp_http/other: {endpoint: "\${file:${target}}", batch: {flush_timeout: 50ms}}`,
    exporterIds: ', otlp_http/other',
  };
  const { agent, write } = start(t, describe(stays.url), '--set', 'receivers.simulator.seed=7');
  await agent.waitFor(/Everything is ready/u);
  await reload(agent, /nothing has changed/u);

  write(describe(stays.url, other));
  await reload(agent, /Reloaded the configuration: started exporter "otlp_http\/other"\n/u);
  await until(() => first.received.length > 2);

  writeFileSync(target, second.url);
  await reload(agent, /Reloaded the configuration: restarted exporter "otlp_http\/other"\n/u);
  const sent = first.received.length;
  await until(() => second.received.length > 2);
  assert.equal(first.received.length, sent);

  write(describe(stays.url));
  await reload(agent, /Reloaded the configuration: stopped exporter "otlp_http\/other"\n/u);
  const after = stays.received.length;
  await until(() => stays.received.length > after + 2);
  const { code, stderr } = await agent.stop();
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, / (?:warn|error) /u);
  checkTotals(pointsOf(stays));
});

/** No counter was reset, no point arrived twice, and the parts of the ledger add up to the measured energy. */
function checkTotals(points: readonly DecodedPoint[]): void {
  const energy = points.filter(({ name }) => name === 'hw.energy' || name === 'ledger.energy');
  const bySeries = new Map<string, DecodedPoint[]>();
  for (const point of energy) findOrAdd(bySeries, seriesOf(point), () => []).push(point);
  const last = new Map<string, number>();
  for (const [key, ofSeries] of bySeries) {
    assert.equal(new Set(ofSeries.map((point) => point.start)).size, 1, `${key} started again`);
    const values = ofSeries.filter(({ flags }) => flags === 0);
    const times = values.map(({ time }) => time);
    assert.deepEqual(
      times,
      [...new Set(times)].toSorted((a, b) => Number(a - b)),
      `${key}: order`,
    );
    last.set(key, Math.round(Number(values.at(-1)?.value) * 1e9));
  }
  const measured = [...bySeries].filter(([, [point]]) => point?.name === 'hw.energy');
  assert.ok(measured.length > 0);
  for (const [key, [domain]] of measured) {
    const parts = [...bySeries].filter(
      ([, [point]]) =>
        point?.name === 'ledger.energy' &&
        point.attributes['hw.id'] === domain?.attributes['hw.id'] &&
        point.attributes['hw.type'] === domain?.attributes['hw.type'],
    );
    assert.equal(total(parts.map(([part]) => last.get(part) ?? NaN)), last.get(key), key);
  }
}

test('a removed receiver ends its series, and an invalid configuration changes nothing', async (t) => {
  const backend = await openHttpBackend(t);
  const taken = createServer().listen(0, 'localhost');
  t.after(() => taken.close());
  const page = 'prometheus: {endpoint: "localhost:0", ended_for: 100ms}';
  const host = { receivers: 'host: {collection_interval: 50ms}', receiverIds: ', host' };
  const withPage = { exporters: page, exporterIds: ', prometheus' };
  const { agent, write } = start(t, describe(backend.url, { ...withPage, ...host }));
  const url = await agent.waitFor(/(http:\S+\/metrics)/u);
  const read = async () => (await fetch(url)).text();
  const hasHost = async () => /^system_cpu_time_seconds_total\{/mu.test(await read());
  await until(hasHost);

  write(describe(backend.url, withPage));
  await reload(agent, /Reloaded the configuration: stopped receiver "host"\n/u);
  await until(async () => !(await hasHost()));
  assert.match(await read(), /^hw_energy_joules_total\{/mu);

  const { port } = taken.address() as AddressInfo; // a TCP server that listens
  const refused: readonly (readonly [string, RegExp])[] = [
    ['receivers: {', /Cannot reload the configuration: .*config\.yaml:\d+.*; nothing has changed/u],
    [
      describe(backend.url, { receivers: 'nosuch: {}', receiverIds: ', nosuch' }),
      /unknown receiver type "nosuch"/u,
    ],
    [
      describe(backend.url, {
        exporters: `prometheus: {endpoint: "localhost:${port}"}`,
        exporterIds: ', prometheus',
      }),
      /Cannot apply the configuration: Cannot start exporter "prometheus": .*EADDRINUSE.*; using the old one again/u,
    ],
  ];
  for (const [text, expected] of refused) {
    write(text);
    await reload(agent, expected);
    const before = backend.received.length;
    await until(() => backend.received.length > before + 1);
  }
  // The system chose the port of the old page, and chooses another one for the new page.
  const { code, stderr } = await agent.stop();
  assert.equal(code, 0);
  const pages = [...stderr.matchAll(/(http:\S+\/metrics)/gu)];
  assert.equal(pages.length, 2, stderr);
  checkTotals(pointsOf(backend));
});

test('the agent reads a file again that was replaced, with --watch-config', async (t) => {
  const [first, second] = [await openHttpBackend(t), await openHttpBackend(t)];
  const { agent, path } = start(t, describe(first.url), '--watch-config');
  await agent.waitFor(/Everything is ready/u);
  writeFileSync(`${path}.new`, describe(second.url));
  renameSync(`${path}.new`, path);
  await agent.waitFor(/A file of the configuration has changed[^]*restarted exporter "otlp_http"\n/u);
  await until(() => second.received.length > 0);
  writeFileSync(path, 'receivers: {');
  await agent.waitFor(/Cannot reload the configuration: .*; nothing has changed\n/u);
  const { code, stderr } = await agent.stop();
  assert.equal(code, 0);
  assert.equal(stderr.match(/Cannot reload/gu)?.length, 1);
});
