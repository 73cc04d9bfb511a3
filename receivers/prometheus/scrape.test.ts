import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createCertificate, noOpenssl } from '../../src/http/certificate.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { scrape, serve, servePage } from './exporter.fixture.js';

/** Longer than any response of a server on this machine takes. */
const patient = { scrape_interval: '100s', scrape_timeout: '100s' };

function targets(...addresses: readonly string[]) {
  return { static_configs: [{ targets: addresses }] };
}

test('the receiver scrapes a page repeatedly, and reports the result', async (t) => {
  let count = 0;
  const host = await servePage(t, () => `# TYPE hits counter\nhits ${++count}\nlevel 2.5\n`);
  const { receiver, next, valuesOf, log } = await scrape(t, [{ ...targets(host), ...patient }]);
  for (let i = 0; i < 3; i++) await receiver.flush?.();
  assert.ok((valuesOf('hits')[0] ?? 0) >= 3);
  assert.deepEqual(valuesOf('up'), [1]);
  assert.deepEqual(valuesOf('scrape_samples_scraped'), [2]);
  assert.deepEqual(valuesOf('scrape_samples_post_metric_relabeling'), [2]);
  assert.ok((valuesOf('scrape_duration_seconds')[0] ?? 0) > 0);
  const [series] = next.last('level').map((each) => each.series);
  const [address, port] = host.split(':');
  assert.deepEqual(series?.resource.attributes, {
    'service.name': 'job0',
    'service.instance.id': host,
    'server.address': address,
    'server.port': port,
    'url.scheme': 'http',
  });
  assert.deepEqual(log.lines, []);
});

test('the receiver drops and renames samples by metric_relabel_configs', async (t) => {
  const host = await servePage(t, () => 'go_threads 1\nold_name{a="1"} 2\n');
  const rules = [
    { source_labels: ['__name__'], regex: 'go_.*', action: 'drop' },
    { source_labels: ['__name__'], regex: 'old_(.*)', target_label: '__name__', replacement: 'new_$1' },
  ];
  const { valuesOf } = await scrape(t, [{ ...targets(host), ...patient, metric_relabel_configs: rules }]);
  await until(() => valuesOf('up')[0] === 1);
  assert.deepEqual([valuesOf('new_name'), valuesOf('go_threads'), valuesOf('old_name')], [[2], [], []]);
  assert.deepEqual(valuesOf('scrape_samples_scraped'), [2]);
  assert.deepEqual(valuesOf('scrape_samples_post_metric_relabeling'), [1]);
});

test('the receiver scrapes the other targets when one hangs, and shuts down', async (t) => {
  let asked = 0;
  const dead = await serve(t, () => void asked++);
  const good = await servePage(t, () => 'a 1\n');
  const { receiver, valuesOf } = await scrape(t, [
    { ...targets(dead), ...patient },
    { ...targets(good), ...patient },
  ]);
  await until(() => asked === 1 && valuesOf('a').length > 0);
  await receiver.shutdown(20);
});

test('the receiver publishes up = 0 for each scrape that fails, one gap, and continues', async (t) => {
  let isBroken = false;
  const host = await serve(t, (_, response) => {
    response.writeHead(isBroken ? 503 : 200, { 'Content-Type': 'text/plain' });
    response.end('# TYPE c counter\nc 7\n');
  });
  const job = { ...targets(host), scrape_interval: '1s', scrape_timeout: null };
  const { next, log, valuesOf } = await scrape(t, [job]);
  await until(() => valuesOf('c')[0] === 7);
  isBroken = true;
  const zeros = () =>
    next.tables.filter(({ series, values }) => series[0]?.metric.name === 'up' && values[0] === 0);
  await until(() => zeros().length >= 2);
  const gaps = next.tables.filter(
    ({ series, values }) => series[0]?.metric.name === 'c' && Number.isNaN(values[0]),
  );
  assert.equal(gaps.length, 1);
  isBroken = false;
  await until(() => valuesOf('c')[0] === 7);
  assert.equal(next.last('c').length, 1);
  const name = `http://${host}/metrics (job="job0")`;
  assert.deepEqual(log.lines, [
    `error: Cannot read ${name}: expected HTTP status 200, found 503 Service Unavailable`,
    `info: Recovered, reading ${name} again`,
  ]);
});

const page = 'a 1\n';
const text = { 'Content-Type': 'text/plain' };

test('the receiver reads a page without a known Content-Type by fallback_scrape_protocol', async (t) => {
  const host = await serve(t, (_, response) => response.end(page));
  const job = { ...targets(host), ...patient, fallback_scrape_protocol: 'PrometheusText0.0.4' };
  const { valuesOf } = await scrape(t, [job]);
  await until(() => valuesOf('up').length > 0);
  assert.deepEqual(valuesOf('a'), [1]);
});

test('the receiver follows a redirect, and sends its password to the target only', async (t) => {
  const shown: (string | undefined)[] = [];
  const other = await serve(t, ({ headers }, response) => {
    shown.push(headers.authorization);
    response.writeHead(200, { ...text, 'Content-Encoding': 'gzip' });
    response.end(gzipSync('a 1\n'));
  });
  const host = await serve(t, ({ headers, url }, response) => {
    shown.push(headers.authorization);
    response.writeHead(307, { Location: url === '/metrics' ? '/next' : `http://${other}/metrics` });
    response.end();
  });
  const job = { ...targets(host), ...patient, basic_auth: { username: 'u', password: 'p' } };
  const { valuesOf } = await scrape(t, [job]);
  await until(() => valuesOf('up').length > 0);
  assert.deepEqual([valuesOf('up'), valuesOf('a')], [[1], [1]]);
  const basic = `Basic ${Buffer.from('u:p').toString('base64')}`;
  assert.deepEqual(shown, [basic, basic, undefined]);
});

test('the receiver sends credentials of any type, from the configuration or from a file', async (t) => {
  const file = join(createFolder(), 'token');
  writeFileSync(file, 'secret\n');
  const shown = new Set<string>();
  const host = await serve(t, ({ headers }, response) => {
    shown.add(headers.authorization ?? '');
    response.writeHead(200, text).end(page);
  });
  const { valuesOf } = await scrape(t, [
    { ...targets(host), ...patient, authorization: { type: 'Token', credentials: 'x' } },
    { ...targets(host), ...patient, authorization: { type: 'Key', credentials_file: file } },
    { ...targets(host), ...patient, authorization: { credentials_file: file } },
  ]);
  await until(() => valuesOf('up').length === 3);
  assert.deepEqual([...shown].toSorted(), ['Bearer secret', 'Key secret', 'Token x']);
});

test('the receiver verifies certificates', { skip: noOpenssl }, async (t) => {
  const { certFile, keyFile } = createCertificate();
  const tls = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  const host = (await serve(t, (_, response) => response.writeHead(200, text).end(page), tls)).replace(
    '127.0.0.1',
    'localhost',
  );
  const job = { ...targets(host), ...patient, scheme: 'https' };
  const { log, next } = await scrape(t, [job, { ...job, tls_config: { ca_file: certFile } }]);
  await until(() => next.last('up').length === 2);
  const up = next.last('up').map(({ series, value }) => [series.resource.attributes['service.name'], value]);
  assert.deepEqual(Object.fromEntries(up), { job0: 0, job1: 1 });
  assert.match(String(log.lines), /Cannot read https:\/\/localhost.*self-signed certificate/u);
});

test('the receiver starts new series when the type of a metric changes', async (t) => {
  let type = 'gauge';
  const host = await servePage(t, () => `# TYPE c ${type}\nc 7\n`);
  const { receiver, next, log } = await scrape(t, [{ ...targets(host), ...patient }]);
  await receiver.flush?.();
  assert.deepEqual(
    next.last('c').map(({ series }) => series.metric.kind),
    ['gauge'],
  );
  type = 'counter';
  for (let i = 0; i < 2; i++) await receiver.flush?.();
  assert.ok(next.last('c').some(({ series }) => series.metric.kind === 'counter'));
  assert.deepEqual(log.lines, []);
});

test('the receiver warns once of duplicate samples', async (t) => {
  let pages = 0;
  const host = await servePage(t, () => (pages++, 'a 1\na 2\n'));
  const { receiver, valuesOf, log } = await scrape(t, [{ ...targets(host), ...patient }]);
  for (let i = 0; i < 3; i++) await receiver.flush?.();
  assert.ok(pages >= 3);
  assert.deepEqual(valuesOf('a'), [1]);
  assert.equal(log.lines.length, 1);
  assert.match(String(log.lines), /Leaving out 1 samples of http:/u);
});

test('the receiver scrapes the targets that are currently in the files', async (t) => {
  const folder = createFolder();
  const path = join(folder, 'targets.json');
  const write = (...hosts: readonly string[]) => {
    writeFileSync(`${path}.new`, JSON.stringify([{ targets: hosts }]));
    renameSync(`${path}.new`, path);
  };
  const one = await servePage(t, () => 'one 1\n');
  const two = await servePage(t, () => 'two 2\n');
  write(one);
  const job = { file_sd_configs: [{ files: [path], refresh_interval: '10ms' }], ...patient };
  const { next, valuesOf } = await scrape(t, [job]);
  await until(() => valuesOf('one').length > 0);
  write(two);
  await until(() => valuesOf('two').length > 0);
  const [first] = next.last('one');
  assert.ok(first);
  await until(() => next.tables.some(({ ended }) => ended?.includes(first.series)));
});
