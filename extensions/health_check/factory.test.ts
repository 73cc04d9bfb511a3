import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { ComponentStatus } from '../../src/component/agent-control.js';
import { createFakeAgent, createFakeContext, createLogCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { noOpenssl } from '../../src/http/certificate.fixture.js';
import { basic, createSecuredConfig, fetchTls } from '../../src/http/web-config.fixture.js';
import { describeHealth, factory } from './factory.js';
import { findUnhealthy } from './health.js';

const since = new Date('2020-11-28T12:00:00Z');

function component(
  kind: ComponentStatus['kind'],
  id: string,
  more: Partial<ComponentStatus> = {},
): ComponentStatus {
  const pipelines = kind === 'extension' ? [] : ['metrics'];
  return { kind, id, pipelines, state: 'running', since, acceptedPoints: 1234, refusedPoints: 0, ...more };
}

const outage = {
  state: 'failed',
  lastError: { message: 'Cannot export: <script>alert("x")</script>\n& more', at: since },
} as const;

const components = [
  component('extension', 'health_check'),
  component('exporter', 'otlp_http', outage),
  component('receiver', 'rapl', { intervalsMs: { sampling_interval: 1000 } }),
];

async function start(t: TestContext, settings: object, isReady = () => true) {
  const log = createLogCollector();
  const config = parseSettings(factory.schema, settings);
  const extension = factory.create(config, {
    ...createFakeContext({ log }),
    isReady,
    agent: createFakeAgent(),
  });
  t.after(() => extension.shutdown());
  await extension.start();
  return { extension, url: /https?:\S+/u.exec(log.lines[0] ?? '')?.[0] ?? '' };
}

test('HealthCheck answers 503 until the pipelines run, then 200', async (t) => {
  let isReady = false;
  const { url } = await start(t, { endpoint: 'localhost:0' }, () => isReady);
  assert.equal((await fetch(url)).status, 503);
  isReady = true;
  const response = await fetch(`${url}?verbose`);
  assert.equal(response.status, 200);
  assert.match(
    await response.text(),
    /^\{"status":"Server available","upSince":"20.*Z","uptime":"[\d.]+s"\}\n$/u,
  );
});

test('HealthCheck answers only its configured path', async (t) => {
  const { url } = await start(t, { endpoint: '127.0.0.1:0', path: '/healthz' });
  assert.ok(url.endsWith('/healthz'));
  assert.equal((await fetch(url)).status, 200);
  assert.equal((await fetch(new URL('/', url))).status, 404);
});

test(
  'HealthCheck serves over TLS and to authenticated users only, as web_config_file configures',
  { skip: noOpenssl },
  async (t) => {
    const { path, certFile } = createSecuredConfig();
    const { url } = await start(t, { endpoint: 'localhost:0', web_config_file: path });
    const ca = readFileSync(certFile);
    const authorization = basic('scraper', 'correct horse');
    assert.equal((await fetchTls(url, { ca, authorization })).status, 200);
    assert.equal((await fetchTls(url, { ca })).status, 401);
  },
);

test('HealthCheck closes its port, when shut down', async (t) => {
  const { extension, url } = await start(t, { endpoint: 'localhost:0' });
  await extension.shutdown();
  await extension.shutdown();
  await assert.rejects(fetch(url));
});

test('HealthCheck does not start, when the endpoint that the user set is in use', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // A listening TCP server has one.
  await assert.rejects(
    start(t, { endpoint: `localhost:${port}` }),
    /^Error: Cannot listen on localhost:\d+ \(extensions\.test\.endpoint\): EADDRINUSE/u,
  );
});

test('factory.check requires a path that begins with a slash', () => {
  assert.deepEqual(factory.check?.(parseSettings(factory.schema, { path: 'health' })), [
    'path: expected a path that begins with "/", found "health"',
  ]);
});

const upSince = new Date('2026-11-21T12:00:00Z');

function uptimeAt(now: string): unknown {
  return (JSON.parse(describeHealth(true, upSince, new Date(now)).body) as { uptime: unknown }).uptime;
}

test('describeHealth reports that the server is available and since when, when it is ready', () => {
  assert.deepEqual(describeHealth(true, upSince, new Date('2026-11-21T12:00:05.25Z')), {
    status: 200,
    body: '{"status":"Server available","upSince":"2026-11-21T12:00:00.000Z","uptime":"5.25s"}\n',
  });
});

test('describeHealth reports that the server is not available, when it is not ready', () => {
  assert.deepEqual(describeHealth(false, upSince, upSince), {
    status: 503,
    body: '{"status":"Server not available"}\n',
  });
});

test('describeHealth formats durations as Go does, when they are long and when the clock was set back', () => {
  assert.equal(uptimeAt('2026-11-21T12:01:00Z'), '1m0s');
  assert.equal(uptimeAt('2026-11-22T14:03:04.5Z'), '26h3m4.5s');
  assert.equal(uptimeAt('2026-11-21T11:00:00Z'), '0s');
});

async function startWithOutage(
  t: TestContext,
  settings: object = {},
  isReady = () => true,
  isStopping = false,
) {
  const log = createLogCollector();
  const config = parseSettings(factory.schema, { endpoint: 'localhost:0', ...settings });
  const agent = createFakeAgent({ isStopping, listComponents: () => components });
  const extension = factory.create(config, { ...createFakeContext({ log }), isReady, agent });
  t.after(() => extension.shutdown());
  await extension.start();
  return new URL('/', /https?:\S+/u.exec(log.lines[0] ?? '')?.[0]);
}

interface Status {
  readonly healthy: boolean;
  readonly status: string;
  readonly error?: string;
  readonly components?: Record<
    string,
    { readonly status: string; readonly components: Record<string, object> }
  >;
}

async function codeOf(url: URL): Promise<number> {
  return (await fetch(url)).status;
}

async function readStatus(url: URL): Promise<Status> {
  return (await (await fetch(url)).json()) as Status;
}

test("HealthCheck serves the states of all components like the Collector's healthcheckv2 extension", async (t) => {
  const url = await startWithOutage(t);
  const short = await readStatus(new URL('/status', url));
  assert.deepEqual(
    [short.healthy, short.status, short.components],
    [true, 'StatusRecoverableError', undefined],
  );
  const { components: groups = {} } = await readStatus(new URL('/status?verbose', url));
  assert.deepEqual(Object.keys(groups), ['extensions', 'pipeline:metrics']);
  assert.equal(groups['pipeline:metrics']?.status, 'StatusRecoverableError');
  assert.deepEqual(groups['pipeline:metrics']?.components['exporter:otlp_http'], {
    healthy: true,
    status: 'StatusRecoverableError',
    state: 'failed',
    status_time: '2020-11-28T12:00:00.000Z',
    error: outage.lastError.message,
    error_time: '2020-11-28T12:00:00.000Z',
    accepted_points: 1234,
    refused_points: 0,
  });
});

test('HealthCheck answers 503 after a component has failed for too long, only if configured', async (t) => {
  const tolerant = await startWithOutage(t);
  assert.deepEqual([await codeOf(tolerant), await codeOf(new URL('/status', tolerant))], [200, 200]);
  const strict = await startWithOutage(t, { component_health: { include_recoverable_errors: true } });
  assert.deepEqual([await codeOf(strict), await codeOf(new URL('/status', strict))], [503, 503]);
  const { healthy } = await readStatus(new URL('/status', strict));
  assert.equal(healthy, false);
});

test('HealthCheck answers 503 with a starting status until the pipelines run', async (t) => {
  const url = await startWithOutage(t, {}, () => false);
  const response = await fetch(new URL('/status', url));
  assert.equal(response.status, 503);
  assert.equal(((await response.json()) as Status).status, 'StatusStarting');
});

test('HealthCheck serves browsers a page without scripts, with foreign text escaped', async (t) => {
  const url = await startWithOutage(t);
  const response = await fetch(new URL('/status', url), { headers: { accept: 'text/html,*/*;q=0.8' } });
  const page = await response.text();
  assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.match(response.headers.get('content-security-policy') ?? '', /^default-src 'none'/u);
  assert.ok(!/<script|javascript:| on\w+=/u.test(page));
  assert.ok(page.includes('Cannot export: &lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;\\n&amp; more'));
  assert.ok(page.includes('All pipelines run; failing: exporter otlp_http'));
  assert.ok(page.includes('every 1s'));
  assert.ok(page.includes('1,234 points'));
});

test('HealthCheck serves no states, when they are turned off', async (t) => {
  const url = await startWithOutage(t, { status: { enabled: false } });
  assert.equal((await fetch(new URL('/status', url))).status, 404);
});

test('HealthCheck reports that the collector is shutting down, not that it is starting', async (t) => {
  const url = await startWithOutage(t, { status: { enabled: true } }, () => false, true);
  const status = new URL('/status', url);
  assert.equal((await readStatus(status)).status, 'StatusStopping');
  assert.equal(await codeOf(status), 503);
  const page = await fetch(status, { headers: { accept: 'text/html' } });
  assert.match(await page.text(), /Shutting down/u);
});

test('factory.check requires another path for the states', () => {
  assert.deepEqual(factory.check?.(parseSettings(factory.schema, { path: '/status' })), [
    'status.path: expected another path than that of the health check, found "/status" for both',
  ]);
});

test('findUnhealthy gives a component time to recover', () => {
  const at = (seconds: number) => new Date(since.getTime() + seconds * 1000);
  const common = { isReady: true, isStopping: false, upSince: since, components };
  const find = (seconds: number, recoveryMs?: number) =>
    findUnhealthy({ ...common, now: at(seconds), recoveryMs }).map(({ id }) => id);
  assert.deepEqual([find(59, 60_000), find(60, 60_000), find(60)], [[], ['otlp_http'], []]);
});
