import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { freeClaims } from '../../src/component/claims.js';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { createCertificate, noOpenssl } from '../../src/http/certificate.fixture.js';
import { serve } from '../../src/http/device.fixture.js';
import { startReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';

const password = 'Circle of Life';

function credentials() {
  const file = join(createFolder(), 'password');
  writeFileSync(file, `${password}\n`);
  return { username: 'admin', password_file: file };
}

/** A plug of the second generation. `total` is what it shows, in watt-hours. */
class Plug {
  total = 9492.468;
  /** For a plug that measures both directions. */
  returned: number | undefined;
  uptime = 100;
  readonly requests: string[] = [];

  answer: RequestListener = ({ url = '' }, response) => {
    this.requests.push(url);
    response.end(JSON.stringify(this.find(url)));
  };

  find(url: string): unknown {
    if (url === '/shelly') return { id: 'plug-a8', mac: 'A8', gen: 2, auth_en: false };
    if (url === '/rpc/Shelly.GetConfig') return { 'switch:0': { name: 'rack' } };
    if (url !== '/rpc/Shelly.GetStatus') return {};
    const returned = this.returned === undefined ? {} : { ret_aenergy: { total: this.returned } };
    const plug = { apower: 15.8, aenergy: { total: this.total }, ...returned, voltage: 230.1 };
    return { 'switch:0': plug, sys: { uptime: this.uptime } };
  }
}

const everySecond = { collection_interval: '100ms' };

test('shelly counts the energy of a plug, and restarts when its counter was reset', async (t) => {
  const plug = new Plug();
  const endpoint = await serve(t, plug.answer);
  const { last, collector } = await startReceiver(t, factory, { ...everySecond, endpoints: [{ endpoint }] });
  await until(() => collector.tables.length > 0);
  plug.total += 10;
  await until(() => last('hw.meter.energy')['plug-a8/switch:0'] === 36_000);
  assert.deepEqual(
    [last('hw.power'), last('hw.voltage')],
    [{ 'plug-a8/switch:0': 15.8 }, { 'plug-a8/switch:0': 230.1 }],
  );
  plug.total = 1;
  await until(() => last('hw.meter.energy')['plug-a8/switch:0'] === 0);
  plug.total = 3;
  await until(() => last('hw.meter.energy')['plug-a8/switch:0'] === 7200);
  assert.equal(collector.tables[0]?.series[0]?.attributes['hw.name'], 'rack');
  assert.equal(plug.requests.filter((url) => url === '/shelly').length, 1);
});

test('shelly counts consumed energy only, and a rounded difference that falls is not a reset', async (t) => {
  const plug = new Plug();
  plug.returned = 100;
  const endpoint = await serve(t, plug.answer);
  const { last, collector } = await startReceiver(t, factory, { ...everySecond, endpoints: [{ endpoint }] });
  await until(() => collector.tables.length > 0);
  plug.total += 20;
  plug.returned += 10;
  await until(() => last('hw.meter.energy')['plug-a8/switch:0'] === 36_000);
  plug.total += 5;
  plug.returned += 5.001;
  const before = collector.tables.length;
  await until(() => collector.tables.length > before + 1);
  plug.total += 10;
  // 9.999 Wh more.
  await until(() => Math.round(last('hw.meter.energy')['plug-a8/switch:0'] ?? 0) === 71_996);
});

test('shelly reads a plug of the first generation by basic authentication', async (t) => {
  const expected = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
  let total = 6000;
  const seen: (string | undefined)[] = [];
  const endpoint = await serve(t, ({ url, headers }, response) => {
    if (url === '/shelly') return void response.end('{"type":"SHPLG-S","mac":"A1B2","auth":true}');
    seen.push(headers.authorization);
    if (headers.authorization !== expected) {
      return void response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="SHPLG-S"' }).end();
    }
    const meters = [{ power: 18.5, is_valid: true, total }];
    response.end(JSON.stringify(url === '/settings' ? {} : { meters, uptime: 5 }));
    total += 1;
  });
  const settings = { ...everySecond, endpoints: [{ endpoint }], credentials: credentials() };
  const { last } = await startReceiver(t, factory, settings);
  await until(() => (last('hw.meter.energy')['shplg-s-a1b2/meter:0'] ?? 0) >= 120);
  // Not sent before it was asked for.
  assert.deepEqual([seen[0], seen[1]], [undefined, expected]);
});

const hash = (text: string) => createHash('sha256').update(text).digest('hex');

/** What RFC 7616 has a server verify. */
function isAnswered({ headers, method, url }: IncomingMessage, nonce: string): boolean {
  const fields = new Map(
    [...(headers.authorization ?? '').matchAll(/(\w+)="?([^",]*)"?/gu)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );
  const [nc, cnonce, uri] = ['nc', 'cnonce', 'uri'].map((name) => fields.get(name));
  const secret = hash(`admin:plug-a8:${password}`);
  const response = hash(`${secret}:${nonce}:${nc}:${cnonce}:auth:${hash(`${method}:${url}`)}`);
  return uri === url && fields.get('nonce') === nonce && fields.get('response') === response;
}

test('shelly answers the digest of a later generation, also after its nonce has changed', async (t) => {
  const plug = new Plug();
  let nonce = 'a1';
  let refused = 0;
  const endpoint = await serve(t, (request, response) => {
    if (request.url === '/shelly' || isAnswered(request, nonce)) return plug.answer(request, response);
    refused += 1;
    const challenge = `Digest qop="auth", realm="plug-a8", nonce="${nonce}", algorithm=SHA-256`;
    response.writeHead(401, { 'WWW-Authenticate': challenge }).end();
  });
  const settings = { ...everySecond, endpoints: [{ endpoint }], credentials: credentials() };
  const { log, collector } = await startReceiver(t, factory, settings);
  await until(() => collector.tables.length > 2);
  assert.equal(refused, 1);
  nonce = 'b2';
  await until(() => refused === 2);
  const before = collector.tables.length;
  await until(() => collector.tables.length > before);
  assert.deepEqual(log.lines, []);
});

test('shelly names the setting that is missing when a device wants a password', async (t) => {
  const endpoint = await serve(t, ({ url }, response) => {
    if (url === '/shelly') return void response.end('{"mac":"A8","gen":2}');
    response.writeHead(401, { 'WWW-Authenticate': 'Digest qop="auth", realm="a", nonce="1"' }).end();
  });
  const { log } = await startReceiver(t, factory, { endpoints: [{ endpoint }] });
  await until(() => log.lines.length > 0);
  assert.deepEqual(log.lines, [
    `error: Cannot read ${endpoint}/: HTTP 401; set credentials.username (admin) and credentials.password_file to those of the device`,
  ]);
});

test('shelly does not try a password repeatedly within one reading', async (t) => {
  const requests: (string | undefined)[] = [];
  const endpoint = await serve(t, ({ url }, response) => {
    if (url === '/shelly') return void response.end('{"mac":"A8","gen":2}');
    requests.push(url);
    response.writeHead(401, { 'WWW-Authenticate': 'Digest qop="auth", realm="a", nonce="1"' }).end();
  });
  const settings = { endpoints: [{ endpoint }], credentials: credentials() };
  const { log } = await startReceiver(t, factory, settings);
  await until(() => log.lines.length > 0);
  assert.equal(requests.length, 2);
});

test('shelly reads on when one device hangs, answers nonsense, or is another one', async (t) => {
  const plug = new Plug();
  const answers: readonly RequestListener[] = [
    plug.answer,
    () => undefined,
    (_, response) => void response.end('<html>'),
    (_, response) => void response.end('[]'),
    (_, response) => void response.end('{"mac":5}'),
    (_, response) => void response.end(`"${'x'.repeat(300_000)}"`),
    (_, response) => void response.writeHead(500).end('broken'),
    (_, response) => void response.write('{', () => response.destroy()),
  ];
  const endpoints = await Promise.all(answers.map(async (answer) => ({ endpoint: await serve(t, answer) })));
  const settings = { ...everySecond, endpoints, timeout: '3s' };
  const { last, log } = await startReceiver(t, factory, settings);
  await until(() => log.lines.length >= 7);
  plug.total += 1;
  await until(() => last('hw.meter.energy')['plug-a8/switch:0'] === 3600);
  const reasons = log.lines.map((line) => line.replace(/^error: Cannot read http:\S+: /u, '')).toSorted();
  assert.deepEqual(reasons, [
    'HTTP 500 broken',
    'aborted',
    'expected a JSON object, found a list',
    'expected a JSON object, found a syntax error at column 1',
    'expected a Shelly device, found another answer to /shelly',
    'expected an answer of at most 262144 bytes, found more',
    'expected an answer within 3000 ms, found none',
  ]);
});

test('shelly looks again what a device is once it has failed', async (t) => {
  const plug = new Plug();
  let isBroken = false;
  const endpoint = await serve(t, (request, response) => {
    if (isBroken) response.writeHead(503).end();
    else plug.answer(request, response);
  });
  const { collector, log } = await startReceiver(t, factory, { ...everySecond, endpoints: [{ endpoint }] });
  await until(() => collector.tables.length > 0);
  isBroken = true;
  await until(() => log.lines.length === 1);
  isBroken = false;
  await until(() => log.lines.length === 2);
  assert.equal(plug.requests.filter((url) => url === '/shelly').length, 2);
  assert.equal(log.lines[1], `info: Recovered, reading ${endpoint}/ again`);
  const gaps = collector.tables.filter(({ values }) => values.every(Number.isNaN) && values.length > 0);
  assert.equal(gaps.length, 1);
});

test('shelly refuses a certificate that it does not know', { skip: noOpenssl }, async (t) => {
  const tls = createCertificate();
  const plug = new Plug();
  const endpoint = await serve(t, plug.answer, tls);
  const { log } = await startReceiver(t, factory, { endpoints: [{ endpoint }] });
  await until(() => log.lines.length > 0);
  assert.match(log.lines[0] ?? '', /^error: Cannot read https:\/\/localhost:\d+\/: self-signed certificate/u);
  const settings = { endpoints: [{ endpoint }], tls: { ca_file: tls.certFile } };
  const { collector } = await startReceiver(t, factory, settings);
  await until(() => collector.tables.length > 0);
});

test('shelly publishes the energy of the host, unless another receiver does', async (t) => {
  const endpoint = await serve(t, new Plug().answer);
  const settings = { ...everySecond, endpoints: [{ endpoint, measures: 'host' }] };
  const { collector } = await startReceiver(t, factory, settings);
  await until(() => collector.last('hw.host.energy').length === 1);
  assert.deepEqual(collector.last('hw.host.power')[0]?.value, 15.8);
  const claims = { ...freeClaims, claim: (key: string) => (key === 'energy/host' ? 'ipmi' : undefined) };
  const other = await startReceiver(t, factory, settings, { claims });
  await until(() => other.collector.tables.length > 0);
  assert.deepEqual(other.collector.last('hw.host.energy'), []);
  assert.match(
    other.log.lines[0] ?? '',
    /^info: Leaving out hw\.host\.energy of .*: receiver "ipmi" publishes it$/u,
  );
});

test('shelly reads only the channels that are wanted', async (t) => {
  const endpoint = await serve(t, new Plug().answer);
  const endpoints = [{ endpoint, channels: ['switch:1'] }];
  const { log } = await startReceiver(t, factory, { endpoints });
  await until(() => log.lines.length > 0);
  assert.match(log.lines[0] ?? '', /expected one of the channels switch:1, found plug-a8\/switch:0$/u);
});

test('shelly probes every device, and refuses two meters of the host', async (t) => {
  const endpoint = await serve(t, new Plug().answer);
  const gone = 'http://127.0.0.1:1';
  const config = parseSettings(factory.schema, { endpoints: [{ endpoint }, { endpoint: gone }] });
  const { available, found, remedies } = await factory.probe(config, createFakeContext());
  assert.equal(available, true);
  assert.equal(found, `${endpoint}/: plug-a8/switch:0; ${gone}/ does not answer`);
  assert.match(remedies[0]?.missing ?? '', /ECONNREFUSED/u);
  const hosts = [endpoint, gone].map((one) => ({ endpoint: one, measures: 'host' }));
  const problems = factory.check?.(parseSettings(factory.schema, { endpoints: hosts }));
  assert.deepEqual(problems, ['endpoints: expected at most one with measures: host, found 2']);
});
