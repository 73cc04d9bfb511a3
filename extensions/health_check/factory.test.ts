import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createFakeAgent, createFakeContext, createLogCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { noOpenssl } from '../../src/http/certificate.fixture.js';
import { basic, createSecuredConfig, fetchTls } from '../../src/http/web-config.fixture.js';
import { describeHealth, factory } from './factory.js';

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

test('HealthCheck answers its path only, when one is set', async (t) => {
  const { url } = await start(t, { endpoint: '127.0.0.1:0', path: '/healthz' });
  assert.ok(url.endsWith('/healthz'));
  assert.equal((await fetch(url)).status, 200);
  assert.equal((await fetch(new URL('/', url))).status, 404);
});

test(
  'HealthCheck serves by TLS and to users only, when web_config_file says so',
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

test('HealthCheck answers nothing, when shut down', async (t) => {
  const { extension, url } = await start(t, { endpoint: 'localhost:0' });
  await extension.shutdown();
  await extension.shutdown();
  await assert.rejects(fetch(url));
});

test('HealthCheck does not start, when the endpoint that the user set is in use', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // of a TCP server that listens
  await assert.rejects(
    start(t, { endpoint: `localhost:${port}` }),
    /^Error: Cannot listen on localhost:\d+ \(extensions\.test\.endpoint\): EADDRINUSE/u,
  );
});

test('factory.check wants a path that begins with a slash', () => {
  assert.deepEqual(factory.check?.(parseSettings(factory.schema, { path: 'health' })), [
    'path: expected a path that begins with "/", found "health"',
  ]);
});

const upSince = new Date('2026-11-21T12:00:00Z');

function uptimeAt(now: string): unknown {
  return (JSON.parse(describeHealth(true, upSince, new Date(now)).body) as { uptime: unknown }).uptime;
}

test('describeHealth says that the server is available and since when, when it is ready', () => {
  assert.deepEqual(describeHealth(true, upSince, new Date('2026-11-21T12:00:05.25Z')), {
    status: 200,
    body: '{"status":"Server available","upSince":"2026-11-21T12:00:00.000Z","uptime":"5.25s"}\n',
  });
});

test('describeHealth says that the server is not available, when it is not ready', () => {
  assert.deepEqual(describeHealth(false, upSince, upSince), {
    status: 503,
    body: '{"status":"Server not available"}\n',
  });
});

test('describeHealth writes durations as Go does, when they are long and when the clock was set back', () => {
  assert.equal(uptimeAt('2026-11-21T12:01:00Z'), '1m0s');
  assert.equal(uptimeAt('2026-11-22T14:03:04.5Z'), '26h3m4.5s');
  assert.equal(uptimeAt('2026-11-21T11:00:00Z'), '0s');
});
