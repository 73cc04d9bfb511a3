import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { parseSettings } from '../../src/config/settings.js';
import { createCertificate, noOpenssl } from '../../src/http/certificate.fixture.js';
import { basic, createSecuredConfig, fetchTls } from '../../src/http/web-config.fixture.js';
import { compressZstd, zstdMissing } from '../../src/zstd.js';
import { schema } from './config.js';
import { serveHttp } from './http-server.js';
import { createIntake } from './intake.fixture.js';
import { encodeRequest } from './request.fixture.js';

const protobuf = 'application/x-protobuf';
const json = 'application/json';
const request = encodeRequest({ metrics: [{ name: 'g', points: [{ time: 10n, double: 1 }] }] });

async function start(
  t: TestContext,
  settings: Readonly<Record<string, unknown>> = {},
  ...context: Parameters<typeof createIntake> extends [unknown, ...infer Rest] ? Rest : never
) {
  const rig = createIntake(t, ...context);
  const { protocols } = parseSettings(schema, {
    protocols: { http: { endpoint: 'localhost:0', ...settings } },
  });
  assert.ok(protocols.http);
  const server = await serveHttp(protocols.http, { id: 'otlp', log: rig.log }, rig.intake);
  assert.ok(server);
  t.after(() => server.close());
  const post = (body: Uint8Array | string, headers: Record<string, string> = {}, path = '/v1/metrics') =>
    fetch(`${server.origin}${path}`, {
      method: 'POST',
      headers: { 'content-type': protobuf, ...headers },
      body: typeof body === 'string' ? body : Buffer.from(body),
    });
  return { ...rig, origin: server.origin, post };
}

const statusOf = async (response: Promise<Response>) => (await response).status;
const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

test('serveHttp takes protobuf, also compressed with gzip', async (t) => {
  const { post, list } = await start(t);
  const response = await post(request);
  assert.deepEqual(
    [response.status, response.headers.get('content-type'), (await bytesOf(response)).length],
    [200, protobuf, 0],
  );
  const later = encodeRequest({ metrics: [{ name: 'g', points: [{ time: 20n, double: 2 }] }] });
  assert.equal((await post(gzipSync(later), { 'content-encoding': 'gzip' })).status, 200);
  assert.deepEqual(list(), ['g 0 10 1', 'g 0 20 2']);
});

test('serveHttp takes JSON with names in either case, numbers as strings and unknown fields, and responds in JSON', async (t) => {
  const { post, list, collector } = await start(t);
  const body = {
    unknown: [1],
    resourceMetrics: [
      {
        resource: { attributes: [{ key: 'host.name', value: { stringValue: 'a' } }], x: 1 },
        scopeMetrics: [
          {
            metrics: [
              { name: 'g', unit: 'W', gauge: { dataPoints: [{ timeUnixNano: '10', asDouble: 0.5, x: {} }] } },
              {
                name: 'c',
                sum: {
                  aggregationTemporality: 'AGGREGATION_TEMPORALITY_CUMULATIVE',
                  isMonotonic: true,
                  dataPoints: [{ startTimeUnixNano: '5', timeUnixNano: '10', asInt: '7' }],
                },
              },
              {
                name: 's',
                sum: { aggregation_temporality: 2, data_points: [{ time_unix_nano: 10, as_int: -7 }] },
              },
              { name: 's', summary: { dataPoints: [{}, {}] } },
            ],
          },
        ],
      },
    ],
  };
  const response = await post(JSON.stringify(body), { 'content-type': `${json}; charset=utf-8` });
  const { partialSuccess } = (await response.json()) as { partialSuccess: Record<string, string> };
  assert.equal(response.headers.get('content-type'), json);
  assert.equal(partialSuccess['rejectedDataPoints'], '2');
  assert.match(partialSuccess['errorMessage'] ?? '', /a summary/);
  const types = collector.tables[0]?.series.map(({ metric }) => `${metric.kind} ${metric.valueType}`);
  assert.deepEqual(types, ['gauge double', 'counter int', 'updowncounter int']);
  assert.deepEqual(list(), ['g 0 10 0.5', 'c 5 10 7', 's 0 10 -7']);
});

test('serveHttp reports errors with 400, 404, 405, 413 and 415', async (t) => {
  const { post, origin, list } = await start(t, { max_request_body_size: 1000 });
  assert.equal(await statusOf(post(request.subarray(1))), 400);
  assert.equal(await statusOf(post('{', { 'content-type': json })), 400);
  assert.equal(await statusOf(post(request, { 'content-encoding': 'gzip' })), 400);
  assert.equal(await statusOf(post(request, {}, '/v1/other')), 404);
  assert.equal(await statusOf(post(request, {}, '/v1/traces')), 404);
  assert.equal(await statusOf(fetch(`${origin}/v1/metrics`)), 405);
  assert.equal(await statusOf(post(new Uint8Array(1001))), 413);
  assert.equal(await statusOf(post(request, { 'content-type': 'text/plain' })), 415);
  assert.equal(await statusOf(post(request, { 'content-encoding': 'br' })), 415);
  assert.deepEqual(list(), []);
});

test('serveHttp describes failures by a Status in the format of the request', async (t) => {
  const { post } = await start(t);
  const inJson = (await (await post('[', { 'content-type': json })).json()) as Record<string, unknown>;
  assert.deepEqual(inJson, {
    code: 3,
    message: 'Cannot read the request: expected a JSON object, found a syntax error at column 2',
  });
  const response = await post('', {}, '/v1/logs');
  assert.equal(response.headers.get('content-type'), protobuf);
  // Field 1, the code UNIMPLEMENTED, then field 2, the message.
  const bytes = await bytesOf(response);
  assert.deepEqual([...bytes.subarray(0, 3)], [8, 12, 18]);
  assert.match(bytes.subarray(4).toString(), /^Cannot take logs: expected metrics/);
});

test('serveHttp limits the decompressed size of a small request', async (t) => {
  const { post, list } = await start(t, { max_request_body_size: '1MiB' });
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  const response = await post(bomb, { 'content-encoding': 'gzip' });
  assert.ok(bomb.length < 1024 * 1024);
  assert.equal(response.status, 413);
  assert.deepEqual(list(), []);
});

test('serveHttp responds with 503 and Retry-After while a queue is full', async (t) => {
  let backlog = 0.95;
  const { post, list } = await start(t, {}, {}, { readBacklog: () => backlog });
  const response = await post(request);
  assert.equal(response.status, 503);
  assert.equal(response.headers.get('retry-after'), '1');
  assert.match((await bytesOf(response)).toString('latin1'), /google\.rpc\.RetryInfo/);
  assert.deepEqual(list(), []);
  backlog = 0.5;
  assert.equal((await post(request)).status, 200);
  assert.deepEqual(list(), ['g 0 10 1']);
});

test('serveHttp creates the same series from a JSON request and a protobuf request', async (t) => {
  const { post, collector } = await start(t);
  const attributes = {
    list: { arrayValue: { values: [{ stringValue: 'a' }, { doubleValue: 0.5 }, {}] } },
    map: { kvlistValue: { values: [{ key: 'k', value: { boolValue: true } }] } },
    whole: 7,
    text: 'x',
  };
  await post(encodeRequest({ metrics: [{ name: 'g', points: [{ attributes, time: 10n, double: 1 }] }] }));
  const pairs = Object.entries({
    ...attributes,
    whole: { intValue: '7' },
    text: { stringValue: 'x' },
  }).map(([key, value]) => ({ key, value }));
  const points = [{ attributes: pairs, timeUnixNano: '20', asDouble: 2 }];
  const metrics = [{ name: 'g', unit: '1', gauge: { dataPoints: points } }];
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'app' } }] };
  const body = { resourceMetrics: [{ resource, scopeMetrics: [{ scope: { name: 'test' }, metrics }] }] };
  await post(JSON.stringify(body), { 'content-type': json });
  const [first, second] = collector.tables;
  assert.equal(collector.tables.length, 2);
  assert.equal(second?.series[0], first?.series[0]);
});

test('serveHttp rejects endlessly nested lists', async (t) => {
  const { post } = await start(t);
  const nest = (depth: number): unknown => (depth === 0 ? {} : { arrayValue: { values: [nest(depth - 1)] } });
  const body = (depth: number) =>
    JSON.stringify({
      resourceMetrics: [{ resource: { attributes: [{ key: 'a', value: nest(depth) }] }, scopeMetrics: [] }],
    });
  assert.equal(await statusOf(post(body(32), { 'content-type': json })), 200);
  assert.equal(await statusOf(post(body(33), { 'content-type': json })), 400);
});

test(
  'serveHttp uses the TLS settings, with the current certificate in the files',
  { skip: noOpenssl },
  async (t) => {
    const { certFile, keyFile } = createCertificate();
    const { origin, list } = await start(t, { tls: { cert_file: certFile, key_file: keyFile } });
    const postBy = (caFile: string) => {
      const headers = { 'content-type': protobuf };
      return fetchTls(`${origin}/v1/metrics`, { ca: readFileSync(caFile), method: 'POST', headers });
    };
    assert.equal((await postBy(certFile)).status, 200);
    const other = createCertificate();
    await assert.rejects(postBy(other.certFile));
    copyFileSync(other.keyFile, keyFile);
    copyFileSync(other.certFile, certFile);
    assert.equal((await postBy(other.certFile)).status, 200);
    assert.deepEqual(list(), []);
  },
);

test(
  'serveHttp requires the password of a web configuration, and counts what lacks it',
  { skip: noOpenssl },
  async (t) => {
    const { path, certFile } = createSecuredConfig();
    const { origin, read, log } = await start(t, { web_config_file: path });
    const ca = readFileSync(certFile);
    const ask = (headers: Record<string, string>) =>
      fetchTls(`${origin}/v1/metrics`, {
        ca,
        method: 'POST',
        headers: { 'content-type': protobuf, ...headers },
      });
    assert.equal((await ask({})).status, 401);
    assert.equal((await ask({ authorization: basic('scraper', 'wrong') })).status, 401);
    assert.equal((await ask({ authorization: basic('scraper', 'correct horse') })).status, 200);
    const counts = await read();
    assert.equal(counts['joulemetry.otlp.requests{otlp,denied}'], 2);
    assert.equal(counts['joulemetry.otlp.requests{otlp,taken}'], 1);
    const refusals = log.lines.filter((line) => line.includes('expected a user and a password'));
    assert.equal(refusals.length, 1);
  },
);

test('serveHttp takes zstd', { skip: zstdMissing ?? false }, async (t) => {
  const { post, list } = await start(t, { max_request_body_size: '1MiB' });
  const zstd = { 'content-encoding': 'zstd' };
  assert.equal((await post(compressZstd(request), zstd)).status, 200);
  assert.equal((await post(compressZstd(Buffer.alloc(64 * 1024 * 1024)), zstd)).status, 413);
  assert.equal((await post(request, zstd)).status, 400);
  assert.deepEqual(list(), ['g 0 10 1']);
});
