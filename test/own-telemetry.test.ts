import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSilentPort } from '../src/export/exporter.fixture.js';
import { noOpenssl } from '../src/http/certificate.fixture.js';
import { basic, createSecuredConfig, fetchTls } from '../src/http/web-config.fixture.js';
import { decodePoints } from '../src/otlp/decode-request.fixture.js';
import { openGrpcBackend } from '../src/otlp/grpc-backend.fixture.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { until } from '../src/testing/until.js';
import { startAgent, writeConfig } from './agent.js';
import { total } from './sums.js';

test('the agent pushes its own telemetry to an OTLP backend when it is configured to', async (t) => {
  const backend = await openGrpcBackend(t);
  const config = writeConfig(`
receivers: {simulator: }
exporters: {file: {path: ${join(createFolder(), 'out.jsonl')}}}
service:
  pipelines:
    metrics: {receivers: [simulator], exporters: [file]}
  telemetry:
    resource: {service.name: mine}
    metrics:
      readers:
        - periodic:
            interval: 500ms
            exporter: {otlp: {endpoint: "${backend.endpoint}", insecure: true}}
`);
  const agent = startAgent(['run', '--config', config]);
  t.after(() => agent.stop());
  const findAccepted = () =>
    backend.received
      .flatMap(({ bytes }) => decodePoints(bytes))
      .find(({ name, value }) => name === 'otelcol_receiver_accepted_metric_points' && Number(value) > 0);
  await until(() => findAccepted() !== undefined);
  const { attributes, resource } = findAccepted() ?? assert.fail();
  assert.deepEqual([attributes['receiver'], resource['service.name']], ['simulator', 'mine']);
  const { code, stderr } = await agent.stop();
  assert.equal(code, 0);
  assert.doesNotMatch(stderr, /Serving own metrics at/u);
});

test(
  'the agent serves its own telemetry by TLS and only to authenticated users when configured to',
  { skip: noOpenssl },
  async (t) => {
    const { path, certFile } = createSecuredConfig();
    const config = writeConfig(`
receivers: {simulator: }
exporters: {file: {path: ${join(createFolder(), 'out.jsonl')}}}
service:
  pipelines: {metrics: {receivers: [simulator], exporters: [file]}}
  telemetry:
    metrics:
      readers: [{pull: {exporter: {prometheus: {port: 0, web_config_file: "${path}"}}}}]
`);
    const agent = startAgent(['run', '--config', config]);
    t.after(() => agent.stop());
    const [, url = ''] = /(https:\S+)/u.exec(await agent.waitFor(/Serving own metrics at https:\S+/u)) ?? [];
    const ca = readFileSync(certFile);
    assert.equal((await fetchTls(url, { ca })).status, 401);
    const { status, body } = await fetchTls(url, { ca, authorization: basic('scraper', 'correct horse') });
    assert.equal(status, 200);
    assert.match(body, /^otelcol_process_uptime/mu);
  },
);

test('the agent counts at its end every point that an unresponsive backend has not accepted', async (t) => {
  const backend = await openGrpcBackend(t);
  const path = join(createFolder(), 'out.json');
  // Series that end add a point in OTLP: here none ends.
  const silent = await openSilentPort(t);
  const config = writeConfig(`
receivers: {simulator: {sampling_interval: 1ms, arrivals: 0}, host: {collection_interval: 100ms}}
exporters: {otlp_http: {endpoint: "http://localhost:${silent}"}, file: {path: ${path}}}
service:
  pipelines: {metrics: {receivers: [simulator, host], exporters: [otlp_http, file]}}
  telemetry:
    metrics: {readers: [{periodic: {interval: 1h, exporter: {otlp: {endpoint: "${backend.endpoint}", insecure: true}}}}]}
`);
  const agent = startAgent(['run', '--config', config]);
  await agent.waitFor(/ready/u);
  await until(() => statSync(path).size > 100_000);
  const { code, stderr } = await agent.stop();
  assert.equal(code, 0, stderr);
  // The only push is the last one.
  const points = backend.received.flatMap(({ bytes }) => decodePoints(bytes));
  const sumOf = (name: string, exporter?: string) =>
    total(
      points
        .filter((point) => point.name === name && point.attributes['exporter'] === exporter)
        .map(({ value }) => Number(value)),
    );
  const accepted = sumOf('otelcol_receiver_accepted_metric_points');
  assert.ok(accepted > 1000);
  assert.equal(sumOf('joulemetry.exporter.dropped', 'otlp_http'), accepted);
  assert.equal(sumOf('otelcol_exporter_sent_metric_points', 'file'), accepted);
  assert.match(stderr, new RegExp(`Lost ${accepted} points`, 'u'));
});

test('the agent serves its own metrics at another address and changes its log settings after a SIGHUP, as far as possible', async (t) => {
  const out = join(createFolder(), 'out.jsonl');
  const describe = (host: string, encoding: string, resource = '') => `
receivers: {simulator: }
exporters: {file: {path: ${out}}}
service:
  pipelines: {metrics: {receivers: [simulator], exporters: [file]}}
  telemetry:
    logs: {encoding: ${encoding}}
    ${resource}
    metrics: {readers: [{pull: {exporter: {prometheus: {host: ${host}, port: 0}}}}]}
`;
  const path = writeConfig(describe('127.0.0.1', 'console'));
  const agent = startAgent(['run', '--config', path]);
  t.after(() => agent.stop());
  await agent.waitFor(/Everything is ready/u);
  const reload = (next: string) => {
    writeFileSync(path, next);
    process.kill(agent.pid, 'SIGHUP');
  };
  reload(describe('127.0.0.3', 'json'));
  const url = await agent.waitFor(/"msg":"Serving own metrics at (http:\/\/127\.0\.0\.3:\d+\/metrics)"/u);
  await agent.waitFor(/changed service\.telemetry\.logs\.encoding, service\.telemetry\.metrics\.readers/u);
  assert.equal((await fetch(url)).status, 200);
  reload(describe('192.0.2.1', 'json', 'resource: {a: b}'));
  await agent.waitFor(/Cannot change service\.telemetry\.metrics\.readers\[\]\.pull: .*EADDRNOTAVAIL/u);
  await agent.waitFor(/Cannot change service\.telemetry\.resource while the agent runs: /u);
  assert.equal((await fetch(url)).status, 200);
});
