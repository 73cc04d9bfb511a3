import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { test, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { createFakeContext, createLogCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { noOpenssl } from '../../src/http/certificate.fixture.js';
import { basic, createSecuredConfig, fetchTls } from '../../src/http/web-config.fixture.js';
import type { Attributes, Metric, MetricKind, Series } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { factory } from './factory.js';

const host = { attributes: { 'host.name': 'here' } };

function seriesOf(name: string, unit: string, kind: MetricKind, attributes: Attributes = {}): Series {
  const metric: Metric = { name, unit, kind, description: 'What it is', valueType: 'double' };
  return { metric, resource: host, attributes, start: 0n };
}

const energy = [seriesOf('hw.energy', 'J', 'counter', { 'hw.id': 'package-0' })];
const put = (value: number) => createRow(energy, 0n, Float64Array.of(value));

/** A running exporter on a free port, and a clock that the test sets. */
async function startExporter(t: TestContext, settings: Record<string, unknown> = {}) {
  const log = createLogCollector();
  const time = { ms: 0n };
  const clock = { wallNs: () => 0n, monotonicNs: () => time.ms * 1_000_000n, countBreaks: () => 0 };
  const config = parseSettings(factory.schema, { endpoint: 'localhost:0', ...settings });
  const exporter = factory.create(config, createFakeContext({ log, clock, host }));
  await exporter.start();
  t.after(() => exporter.shutdown());
  const [, origin = ''] = /(https?:\/\/[^/]+)/.exec(log.lines[0]) ?? [];
  return { exporter, origin, log, time };
}

async function readText(url: string, headers: Record<string, string> = {}): Promise<string> {
  return (await fetch(url, { headers })).text();
}

/** Unlike fetch, returns the body as it was sent. */
function ask(
  url: string,
  method: string,
  headers = {},
): Promise<{ response: IncomingMessage; body: Buffer }> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve({ response, body: Buffer.concat(parts) }));
    })
      .on('error', reject)
      .end();
  });
}

test('prometheus serves its tables as classic text', async (t) => {
  const { exporter, origin } = await startExporter(t);
  assert.equal(exporter.consume(put(12.5)), true);
  const response = await fetch(`${origin}/metrics`);
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(await response.text(), /^hw_energy_joules_total\{hw_id="package-0"\} 12\.5$/m);
});

test('prometheus serves OpenMetrics on request', async (t) => {
  const { exporter, origin } = await startExporter(t);
  exporter.consume(put(12.5));
  const accept = 'application/openmetrics-text;version=1.0.0';
  const response = await fetch(`${origin}/metrics`, { headers: { accept } });
  assert.equal(
    response.headers.get('content-type'),
    'application/openmetrics-text; version=1.0.0; charset=utf-8',
  );
  assert.match(await response.text(), /# EOF\n$/);
});

test('prometheus compresses if gzip is accepted', async (t) => {
  const { exporter, origin } = await startExporter(t);
  exporter.consume(put(12.5));
  const { response, body } = await ask(`${origin}/metrics`, 'GET', { 'Accept-Encoding': 'gzip' });
  assert.equal(response.headers['content-encoding'], 'gzip');
  assert.match(gunzipSync(body).toString(), /hw_energy_joules_total/);
  const plain = await ask(`${origin}/metrics`, 'GET');
  assert.equal(plain.response.headers['content-encoding'], undefined);
});

test('prometheus compresses a long page completely', async (t) => {
  const { exporter, origin, time } = await startExporter(t);
  const series = Array.from({ length: 20_000 }, (_, i) =>
    seriesOf('hw.energy', 'J', 'counter', { 'hw.id': `${i}` }),
  );
  exporter.consume(
    createRow(
      series,
      0n,
      Float64Array.from(series, (_, i) => i / 7 + 1),
    ),
  );
  const plain = await ask(`${origin}/metrics`, 'GET');
  time.ms = 10n;
  const { response, body } = await ask(`${origin}/metrics`, 'GET', { 'Accept-Encoding': 'gzip' });
  assert.equal(response.headers['content-length'], String(body.length));
  assert.equal(plain.response.headers['content-length'], String(plain.body.length));
  assert.equal(gunzipSync(body).toString(), plain.body.toString());
  assert.equal(plain.body.toString().match(/^hw_energy/gmu)?.length, series.length);
});

test('prometheus serves values that are at least a second apart, in any format', async (t) => {
  const { exporter, origin, time } = await startExporter(t);
  const accept = 'application/openmetrics-text';
  exporter.consume(put(11));
  assert.match(await readText(`${origin}/metrics`), / 11$/m);
  exporter.consume(put(12));
  time.ms = 989n;
  assert.match(await readText(`${origin}/metrics`), / 11$/m);
  assert.match(await readText(`${origin}/metrics`, { accept }), / 11$/m);
  time.ms = 1000n;
  assert.match(await readText(`${origin}/metrics`, { accept }), / 12$/m);
});

test('prometheus serves two simultaneous scrapers the same values, although others arrive in the meantime', async (t) => {
  const { exporter, origin, time } = await startExporter(t);
  const series = Array.from({ length: 8000 }, (_, i) =>
    seriesOf(i % 2 ? 'hw.energy' : 'ledger.energy', 'J', 'counter', { 'hw.id': `${i}` }),
  );
  const fill = (value: number) => createRow(series, 0n, new Float64Array(series.length).fill(value));
  exporter.consume(fill(1));
  await readText(`${origin}/metrics`);
  time.ms = 1000n;
  const accept = 'application/openmetrics-text';
  const pages = [readText(`${origin}/metrics`), readText(`${origin}/metrics`, { accept })];
  const progress = { isDone: false };
  const all = Promise.all(pages).finally(() => (progress.isDone = true));
  for (let value = 2; !progress.isDone; value++) {
    exporter.consume(fill(value));
    await setImmediate();
  }
  const values = (await all).flatMap((page) => page.match(/(?<=^\w+\{hw_id.*\} )\d+$/gmu) ?? []);
  assert.equal(values.length, 2 * series.length);
  assert.equal(new Set(values).size, 1);
});

test('prometheus serves a new page each time until it has had joules for half a second', async (t) => {
  const { exporter, origin, time } = await startExporter(t);
  const read = async () => /^hw_energy.* (\d+)$/m.exec(await readText(`${origin}/metrics`))?.[1];
  exporter.consume(put(0));
  assert.equal(await read(), '0');
  time.ms = 5000n;
  exporter.consume(put(1));
  assert.equal(await read(), '1');
  time.ms = 5499n;
  exporter.consume(put(2));
  assert.equal(await read(), '2');
  time.ms = 5500n;
  exporter.consume(put(3));
  assert.equal(await read(), '2');
});

test('prometheus continues if scrapers disconnect in the middle of a page', async (t) => {
  const { exporter, origin } = await startExporter(t);
  const series = Array.from({ length: 20_000 }, (_, i) =>
    seriesOf('hw.energy', 'J', 'counter', { 'hw.id': `${i}` }),
  );
  exporter.consume(createRow(series, 0n, new Float64Array(series.length).fill(1)));
  for (let scraper = 0; scraper < 5; scraper++) {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request(`${origin}/metrics`, resolve).on('error', reject).end();
    });
    response.destroy();
    await once(response, 'close');
  }
  assert.match(await readText(`${origin}/metrics`), /hw_id="19999"/);
});

test('prometheus answers HEAD, other paths and other methods according to HTTP', async (t) => {
  const { exporter, origin } = await startExporter(t);
  exporter.consume(put(1));
  const page = await ask(`${origin}/metrics?x=y`, 'GET');
  const head = await ask(`${origin}/metrics`, 'HEAD');
  assert.equal(head.response.statusCode, 200);
  assert.equal(head.body.length, 0);
  assert.equal(head.response.headers['content-length'], String(page.body.length));
  assert.equal((await ask(`${origin}/other`, 'GET')).response.statusCode, 404);
  const posted = await ask(`${origin}/metrics`, 'POST');
  assert.deepEqual([posted.response.statusCode, posted.response.headers.allow], [405, 'GET, HEAD']);
  assert.match(await readText(`${origin}/`), /<a href="\/metrics">/);
});

test('prometheus reports an error if the port that the user set is in use', async (t) => {
  const { origin } = await startExporter(t);
  const config = parseSettings(factory.schema, { endpoint: new URL(origin).host });
  const second = factory.create(config, createFakeContext());
  await assert.rejects(
    async () => second.start(),
    /\(exporters\..*\.endpoint\): EADDRINUSE, another program uses the port/,
  );
  await second.shutdown();
});

test('prometheus reports an invalid path when the settings are checked', () => {
  const config = parseSettings(factory.schema, { path: 'metrics' });
  assert.deepEqual(factory.check?.(config), ['path: expected a path such as "/metrics", found "metrics"']);
});

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

test(
  'promtool reports no problems with a page with metrics of every kind',
  { skip: hasPromtool ? false : 'promtool is not installed' },
  async (t) => {
    const { exporter, origin } = await startExporter(t);
    const series = [
      ...energy,
      seriesOf('ledger.energy', 'J', 'counter', { 'ledger.part': 'idle' }),
      seriesOf('hw.power', 'W', 'gauge', { 'hw.id': 'package-0' }),
      seriesOf('system.cpu.time', 's', 'counter', { 'cpu.mode': 'user' }),
      seriesOf('system.cpu.utilization', '1', 'gauge'),
      seriesOf('system.cpu.frequency', 'Hz', 'gauge', { 'cpu.logical_number': 0 }),
      seriesOf('system.memory.usage', 'By', 'updowncounter', { 'system.memory.state': 'used' }),
      seriesOf('system.cpu.load_average.1m', '{thread}', 'gauge'),
      seriesOf('system.network.packet.dropped', '{packet}', 'counter'),
      seriesOf('system.uptime', 's', 'gauge'),
      seriesOf('awkward', '', 'gauge', { 'a"b': 'x"\\\n', '9': 'é' }),
    ];
    exporter.consume(createRow(series, 0n, new Float64Array(series.length).fill(1e21)));
    const input = await readText(`${origin}/metrics`);
    assert.equal(execFileSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' }), '');
  },
);

test(
  'the page is served with TLS and only to users if web_config_file requires it',
  { skip: noOpenssl },
  async (t) => {
    const { path, certFile } = createSecuredConfig();
    const { exporter, origin } = await startExporter(t, { web_config_file: path });
    exporter.consume(put(7));
    const ca = readFileSync(certFile);
    const authorization = basic('scraper', 'correct horse');
    const { status, body } = await fetchTls(`${origin}/metrics`, { ca, authorization });
    assert.equal(status, 200);
    assert.match(body, /^hw_energy_joules_total\{.*\} 7/m);
    for (const options of [{ ca }, { ca, authorization: basic('scraper', 'wrong') }]) {
      const refused = await fetchTls(`${origin}/metrics`, options);
      assert.deepEqual([refused.status, refused.body], [401, 'Unauthorized\n']);
    }
  },
);
