import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { diag } from '@opentelemetry/api';
import { createFakeContext, createLogCollector } from '../component/fakes.js';
import { ScrapeTelemetry } from '../scraping/scrape-telemetry.js';
import { startTelemetry, type Telemetry, type TelemetryRequest } from './telemetry.js';

async function start(t: TestContext, request: Partial<TelemetryRequest> = {}): Promise<Telemetry> {
  const telemetry = await startTelemetry({
    level: 'normal',
    pull: { host: 'localhost', port: 0, isExplicit: true },
    pushes: [],
    attributes: { 'service.name': 'joulemetry' },
    log: createLogCollector(),
    ...request,
  });
  t.after(() => telemetry.shutdown());
  return telemetry;
}

async function fetchMetrics({ address }: Telemetry): Promise<string> {
  const response = await fetch(`http://${address}/metrics`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  return response.text();
}

/** Reads the value of a sample line. */
function valueOf(text: string, sample: string): number {
  const line = text.split('\n').find((one) => one.startsWith(`${sample} `));
  return Number(line?.slice(sample.length + 1));
}

/** A server that occupies a port of localhost. */
async function takePort(t: TestContext): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port; // of a TCP server that listens
}

/** A port that was free just before. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.2');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // of a TCP server that listens
  server.close();
  await once(server, 'close');
  return port;
}

test('startTelemetry reports the process with the names of the Collector', async (t) => {
  const text = await fetchMetrics(await start(t));
  assert.ok(valueOf(text, 'otelcol_process_uptime_total') > 0);
  assert.ok(valueOf(text, 'otelcol_process_cpu_seconds_total') > 0);
  assert.ok(valueOf(text, 'otelcol_process_memory_rss') > 1e7);
  assert.ok(valueOf(text, 'otelcol_process_runtime_heap_alloc_bytes') > 1e6);
  assert.ok(valueOf(text, 'otelcol_process_runtime_total_sys_memory_bytes') > 1e6);
  assert.ok(valueOf(text, 'joulemetry_own_private_memory_bytes') > 1e6);
  assert.ok(
    valueOf(text, 'joulemetry_own_private_memory_bytes') < valueOf(text, 'otelcol_process_memory_rss'),
  );
  assert.ok(valueOf(text, 'joulemetry_main_thread_longest_slice_seconds') > 0);
  assert.ok(valueOf(text, 'joulemetry_main_thread_long_slices_total') >= 0);
  assert.ok(valueOf(text, 'nodejs_eventloop_utilization_ratio') >= 0);
  assert.equal(valueOf(text, 'target_info{service_name="joulemetry"}'), 1);
  assert.ok(!text.includes('otel_scope'));
  assert.ok(!text.includes('joulemetry_own_energy'));
});

test('startTelemetry logs the whole message of the SDK, not only its origin', async (t) => {
  const log = createLogCollector();
  await start(t, { log });
  diag.warn('OTLPExportDelegate', 'Cannot read the answer', new Error('too short'), new Uint8Array(2));
  assert.deepEqual(log.lines.slice(-1), [
    'warn: OpenTelemetry SDK: OTLPExportDelegate: Cannot read the answer: too short',
  ]);
});

test('Telemetry.meter uses the names of the Collector when a receiver scrapes', async (t) => {
  const telemetry = await start(t);
  const scrapes = new ScrapeTelemetry({ ...createFakeContext(), id: 'host/2', meter: telemetry.meter });
  scrapes.scraped(40, 0.0005);
  scrapes.scraped(2, 0.2);
  scrapes.missed(3);
  const text = await fetchMetrics(telemetry);
  const labels = '{receiver="host/2",scraper="host"}';
  assert.equal(valueOf(text, `otelcol_scraper_scraped_metric_points_total${labels}`), 42);
  assert.equal(valueOf(text, `otelcol_scraper_errored_metric_points_total${labels}`), 0);
  assert.equal(valueOf(text, `joulemetry_scrape_missed_total${labels}`), 3);
  assert.equal(valueOf(text, `joulemetry_scrape_duration_seconds_count${labels}`), 2);
  assert.equal(
    valueOf(text, 'joulemetry_scrape_duration_seconds_bucket{receiver="host/2",scraper="host",le="0.001"}'),
    1,
  );
});

test('startTelemetry reports its own joules at most once per second, where they are known', async (t) => {
  let joules = 7;
  const telemetry = await start(t, { readJoules: () => joules });
  const beganMs = performance.now();
  assert.equal(valueOf(await fetchMetrics(telemetry), 'joulemetry_own_energy_joules_total'), 7);
  joules = 8;
  const next = valueOf(await fetchMetrics(telemetry), 'joulemetry_own_energy_joules_total');
  // On a machine that takes a second for two requests this cannot be observed.
  assert.ok(next === 7 || performance.now() - beganMs >= 1000, `${next} J`);
});

const promtool = ['/usr/bin/promtool', '/usr/local/bin/promtool'].find(existsSync);

test(
  'promtool reports no problems with the own telemetry',
  { skip: promtool === undefined && 'promtool is not installed' },
  async (t) => {
    const telemetry = await start(t, { readJoules: () => 1 });
    new ScrapeTelemetry({ ...createFakeContext(), meter: telemetry.meter }).scraped(1, 0.001);
    const input = await fetchMetrics(telemetry);
    const { stdout, stderr, status } = spawnSync(promtool ?? '', ['check', 'metrics'], {
      input,
      encoding: 'utf8',
    });
    assert.equal(stdout + stderr, '');
    assert.equal(status, 0);
  },
);

test('startTelemetry continues without an endpoint if the default port is in use', async (t) => {
  const log = createLogCollector();
  const telemetry = await start(t, {
    pull: { host: 'localhost', port: await takePort(t), isExplicit: false },
    log,
  });
  assert.equal(telemetry.address, undefined);
  telemetry.meter.createCounter('x').add(1);
  assert.match(
    log.lines.join('\n'),
    /^warn: Cannot listen on localhost:\d+ \(service\.telemetry\.metrics\.readers\[\]\.pull\.exporter\.prometheus\.port\): EADDRINUSE/u,
  );
  assert.equal(log.lines.length, 1);
});

test('startTelemetry throws if the port that the user set is in use', async (t) => {
  await assert.rejects(
    start(t, { pull: { host: 'localhost', port: await takePort(t), isExplicit: true } }),
    /^Error: Cannot listen on localhost:\d+ \(service\.telemetry\.metrics\.readers\[\]\.pull\.exporter\.prometheus\.port\): EADDRINUSE/u,
  );
});

test('the endpoint answers 404 for paths other than /metrics and nothing after shutdown', async (t) => {
  const telemetry = await start(t);
  assert.equal((await fetch(`http://${telemetry.address}/`)).status, 404);
  await telemetry.shutdown();
  await telemetry.shutdown();
  await assert.rejects(fetch(`http://${telemetry.address}/metrics`));
});

test('importing telemetry and log loads neither the SDK nor the logger', () => {
  const script = `
    await import(${JSON.stringify(new URL('telemetry.js', import.meta.url).href)});
    await import(${JSON.stringify(new URL('log.js', import.meta.url).href)});
    const { Module } = await import('node:module');
    console.log(Object.keys(Module._cache).filter((path) => /opentelemetry.sdk|pino/.test(path)).length);`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.equal(stdout, '0\n');
});

test('startTelemetry does not load gRPC if nothing is pushed', () => {
  const script = `
    const { startTelemetry } = await import(${JSON.stringify(new URL('telemetry.js', import.meta.url).href)});
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const telemetry = await startTelemetry({ level: 'normal', pull: undefined, pushes: [], attributes: {}, log });
    await telemetry.shutdown();
    const { Module } = await import('node:module');
    const loaded = Object.keys(Module._cache);
    console.log(loaded.some((path) => path.includes('sdk-metrics')), loaded.some((path) => path.includes('grpc')));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  assert.deepEqual([stdout, stderr], ['true false\n', '']);
});

test('Telemetry moves to another address with its counts, and stays if that is in use', async (t) => {
  const log = createLogCollector();
  const telemetry = await start(t, { log });
  telemetry.meter.createCounter('moved').add(3);
  const former = telemetry.address;
  const taken = await takePort(t);
  await assert.rejects(telemetry.move({ host: 'localhost', port: taken, isExplicit: false }), /EADDRINUSE/u);
  assert.equal(telemetry.address, former);
  assert.equal(valueOf(await fetchMetrics(telemetry), 'moved_total'), 3);
  await telemetry.move({ host: '127.0.0.2', port: 0, isExplicit: true });
  assert.match(telemetry.address ?? '', /^127\.0\.0\.2:/u);
  assert.equal(valueOf(await fetchMetrics(telemetry), 'moved_total'), 3);
  await assert.rejects(fetch(`http://${former}/metrics`));
});

test('Telemetry serves what was counted before it had an address, and stops serving', async (t) => {
  const telemetry = await start(t, { pull: undefined });
  telemetry.meter.createCounter('early').add(3);
  assert.equal(telemetry.address, undefined);
  await telemetry.move({ host: 'localhost', port: 0, isExplicit: true });
  assert.equal(valueOf(await fetchMetrics(telemetry), 'early_total'), 3);
  const { address } = telemetry;
  await telemetry.move(undefined);
  assert.equal(telemetry.address, undefined);
  await assert.rejects(fetch(`http://${address}/metrics`));
});

test('Telemetry that is not pushed is collected by scrapes only, whose gauges refer to the time between them', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const telemetry = await start(t);
  let collected = 0;
  telemetry.meter.createObservableGauge('seen').addCallback(() => void (collected += 1));
  t.mock.timers.tick(600_000);
  await fetchMetrics(telemetry);
  assert.equal(collected, 1);
});

test('Telemetry continues to serve at the same port if what it moves to there is not available', async (t) => {
  const telemetry = await start(t, { pull: { host: '127.0.0.2', port: await freePort(), isExplicit: true } });
  const { address = '' } = telemetry;
  const port = Number(address.split(':')[1]);
  const missing = { host: '127.0.0.2', port, isExplicit: true, webConfigFile: '/nowhere/web.yaml' };
  await assert.rejects(telemetry.move(missing), /nowhere/u);
  assert.equal(telemetry.address, address);
  assert.ok(valueOf(await fetchMetrics(telemetry), 'otelcol_process_uptime_total') > 0);
});
