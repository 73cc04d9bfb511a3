import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLogCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { checkConfig } from './check-config.js';
import { schema } from './config.js';
import { listTargets } from './target.js';
import { parseGroups, TargetFiles } from './target-files.js';

function configure(job: object, global: object = {}) {
  return parseSettings(schema, { config: { global, scrape_configs: [{ job_name: 'j', ...job }] } });
}

function list(job: object, global: object = {}) {
  const { config } = configure(job, global);
  const [first] = config.scrape_configs;
  assert.ok(first);
  const leftOut: string[] = [];
  const targets = listTargets(first, first.static_configs, config.global, (address, reason) =>
    leftOut.push(`${address}: ${reason}`),
  );
  return { targets, leftOut };
}

test('listTargets builds addresses from hosts, path, scheme and parameters', () => {
  const { targets } = list({
    static_configs: [{ targets: ['n1:9100', '[::1]:9100'], labels: { rack: 'r1' } }],
    scheme: 'https',
    metrics_path: '/probe',
    params: { 'collect[]': ['cpu', 'mem'], module: ['x'] },
  });
  assert.deepEqual(
    targets.map(({ url, labels }) => [url.href, Object.fromEntries(labels)]),
    ['n1:9100', '[::1]:9100'].map((instance) => [
      `https://${instance}/probe?collect%5B%5D=cpu&collect%5B%5D=mem&module=x`,
      { job: 'j', rack: 'r1', instance },
    ]),
  );
});

test('listTargets relabels as the blackbox and the SNMP exporter require', () => {
  const { targets } = list({
    static_configs: [{ targets: ['10.0.0.7', '10.0.0.8'] }],
    params: { module: ['if_mib'] },
    relabel_configs: [
      { source_labels: ['__address__'], regex: '.*8', action: 'drop' },
      { source_labels: ['__address__'], target_label: '__param_target' },
      { source_labels: ['__param_target'], target_label: 'instance' },
      { target_label: '__address__', replacement: '127.0.0.1:9116' },
    ],
  });
  assert.deepEqual(
    targets.map(({ url, labels }) => [url.href, labels.get('instance')]),
    [['http://127.0.0.1:9116/metrics?module=if_mib&target=10.0.0.7', '10.0.0.7']],
  );
});

/** Interval and timeout of each target. */
function readTimes(job: object, global?: object) {
  const { targets } = list({ static_configs: [{ targets: ['n1:1'] }], ...job }, global);
  return targets.map(({ intervalMs, timeoutMs }) => [intervalMs, timeoutMs]);
}

test('listTargets takes intervals of the job, of all jobs, and of labels, and no timeout above the interval', () => {
  assert.deepEqual(readTimes({}), [[60_000, 10_000]]);
  assert.deepEqual(readTimes({ scrape_interval: '5s' }), [[5000, 5000]]);
  assert.deepEqual(readTimes({}, { scrape_interval: '15s', scrape_timeout: '3s' }), [[15_000, 3000]]);
  const rule = { target_label: '__scrape_interval__', replacement: '2s' };
  assert.deepEqual(readTimes({ relabel_configs: [rule] }), [[2000, 2000]]);
});

test('listTargets omits targets that cannot be scraped, and duplicates', () => {
  const { targets, leftOut } = list({ static_configs: [{ targets: ['n1:1', 'n1:1', 'a b', ''] }] });
  assert.deepEqual(
    targets.map(({ url }) => url.host),
    ['n1:1'],
  );
  assert.equal(leftOut.length, 2);
});

function check(job: object): readonly string[] {
  return checkConfig(configure(job)).map((text) => text.replace('config.scrape_configs[0]', ''));
}

test('checkConfig reports what is wrong with a job', () => {
  assert.deepEqual(check({ static_configs: [{ targets: ['n1:1'] }] }), []);
  assert.deepEqual(checkConfig(parseSettings(schema, {})), [
    'config.scrape_configs: expected a job, found none',
  ]);
  assert.deepEqual(check({ job_name: null }), ['.job_name: expected a name, found none']);
  assert.match(String(check({ static_configs: [{ targets: ['http://n1:1/x'] }] })), /expected host:port/u);
  assert.match(
    String(check({ file_sd_configs: [{ files: ['/etc/*/x.yml'] }] })),
    /file_sd_configs\[0\].files: expected a path/u,
  );
  assert.match(
    String(check({ scrape_interval: '1s', scrape_timeout: '2s' })),
    /scrape_timeout: expected at most/u,
  );
  assert.match(String(check({ basic_auth: { username: 'u' } })), /basic_auth: expected username with/u);
  assert.match(
    String(check({ authorization: { credentials: 'a', credentials_file: '/b' } })),
    /authorization: expected credentials or credentials_file/u,
  );
  assert.match(String(check({ tls_config: { cert_file: '/c' } })), /cert_file and key_file together/u);
});

test('TargetFiles reads YAML and JSON, follows changes and keeps targets while a file is invalid', () => {
  const folder = createFolder();
  const path = (name: string) => join(folder, name);
  writeFileSync(path('a.yml'), '- targets: [n1:1, n2:1]\n  labels: {rack: 7}\n');
  writeFileSync(path('b.json'), '[{"targets": ["n3:1"]}]');
  mkdirSync(path('c.json.d'));
  const log = createLogCollector();
  const files = new TargetFiles([path('*.yml'), path('b.json'), path('none.yml')], log);
  const read = () => files.read().map(({ targets, labels }) => [targets.join(), labels['rack']]);
  assert.deepEqual(read(), [
    ['n1:1,n2:1', '7'],
    ['n3:1', undefined],
  ]);
  writeFileSync(path('b.json'), '[{"targets": ["n3:1", "n4');
  rmSync(path('a.yml'));
  assert.deepEqual(read(), [['n3:1', undefined]]);
  assert.deepEqual(read(), [['n3:1', undefined]]);
  writeFileSync(path('b.json'), '[{"targets": ["n4:1"]}]');
  assert.deepEqual(read(), [['n4:1', undefined]]);
  assert.equal(log.lines.filter((line) => line.includes('using the previous ones')).length, 1);
  assert.equal(log.lines.filter((line) => line.includes('none.yml')).length, 1);
});

for (const text of ['a: 1', '- 1', '- targets: 7', '- targets: [7]', '- targets: []\n  labels: [1]']) {
  test(`parseGroups rejects ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseGroups(text), /expected .* found /u);
  });
}
