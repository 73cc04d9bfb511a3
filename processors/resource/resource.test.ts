import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { histogramOf, histogramTable, rowOf } from '../../src/model/histogram.fixture.js';
import type { Attributes, Series } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { factory } from './factory.js';

const machineId = '0123456789abcdef0123456789abcdef';

/** A folder that holds the files of a machine. */
function createRoot(): string {
  const root = createFolder();
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc/machine-id'), `${machineId}\n`);
  writeFileSync(
    join(root, 'etc/os-release'),
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\n',
  );
  return root;
}

/** What becomes of resources; each series has the metric "test". */
function mapResources(settings: unknown, resources: readonly Attributes[], host: Attributes = {}) {
  const next = createTableCollector();
  const config = parseSettings(factory.schema, settings);
  const processor = factory.create(config, createFakeContext({ host: { attributes: host } }), next);
  const metric = { name: 'test', unit: '1', description: '', kind: 'gauge', valueType: 'int' } as const;
  const series = resources.map((attributes): Series => ({
    metric,
    resource: { attributes },
    attributes: {},
    start: 0n,
  }));
  processor.consume(createRow(series, 1n, new Float64Array(series.length)));
  return next.tables[0].series.map(({ resource }) => resource.attributes);
}

test('resource adds what it detects to every resource, when nothing is set', () => {
  const [host, process] = mapResources({ root: createRoot() }, [{}, { 'process.pid': 7 }]);
  const { 'host.arch': arch, ...detected } = host;
  assert.match(String(arch), /^[a-z][a-z0-9]+$/);
  assert.deepEqual(detected, {
    'service.name': 'joulemetry',
    'host.name': hostname(),
    'host.id': machineId,
    'os.type': 'linux',
    'os.name': 'Debian GNU/Linux',
    'os.version': '12',
    'os.description': 'Debian GNU/Linux 12 (bookworm)',
  });
  assert.deepEqual(process, { ...host, 'process.pid': 7 });
});

test('resource keeps what a resource says already, when override is off', () => {
  const settings = { root: createRoot(), detectors: ['os'] };
  const [kept] = mapResources(settings, [{ 'os.version': '13' }]);
  assert.equal(kept['os.version'], '13');
  const [replaced] = mapResources({ ...settings, override: true }, [{ 'os.version': '13' }]);
  assert.equal(replaced['os.version'], '12');
});

test('resource gives a service name only to resources without one, unless the environment names it', (t) => {
  const settings = { root: createRoot(), override: true };
  assert.equal(mapResources(settings, [{ 'service.name': 'own' }])[0]['service.name'], 'own');
  process.env['OTEL_SERVICE_NAME'] = 'mine';
  t.after(() => delete process.env['OTEL_SERVICE_NAME']);
  const [replaced, named] = mapResources(settings, [{ 'service.name': 'own' }, { 'process.pid': 1 }]);
  assert.deepEqual([replaced['service.name'], named['service.name']], ['mine', 'mine']);
});

test('resource adds nothing, when a resource is of another machine', () => {
  const root = createRoot();
  const [other] = mapResources({ root }, [{ 'host.name': 'other', 'process.pid': 1 }]);
  assert.deepEqual(other, { 'host.name': 'other', 'process.pid': 1 });
  const [sameId] = mapResources({ root }, [{ 'host.id': 'f'.repeat(32) }]);
  assert.deepEqual(sameId, { 'host.id': 'f'.repeat(32) });
});

test('resource replaces the name that receivers give the machine, when another one is detected', (t) => {
  process.env['OTEL_RESOURCE_ATTRIBUTES'] = 'host.name=alias,deployment.environment.name=a%20b';
  t.after(() => delete process.env['OTEL_RESOURCE_ATTRIBUTES']);
  const ours = { 'host.name': 'plain' };
  const [mapped] = mapResources({ root: createRoot(), detectors: ['env', 'host'] }, [ours], ours);
  assert.equal(mapped['host.name'], 'alias');
  assert.equal(mapped['deployment.environment.name'], 'a b');
  assert.equal(mapped['host.id'], machineId);
});

test('resource does its actions after the detection', () => {
  const attributes = [
    { action: 'delete', key: 'os.description' },
    { action: 'upsert', key: 'rack', value: 12 },
  ];
  const [mapped] = mapResources({ root: createRoot(), detectors: ['os'], attributes }, [{}]);
  assert.deepEqual(mapped, {
    'os.type': 'linux',
    'os.name': 'Debian GNU/Linux',
    'os.version': '12',
    rack: 12,
  });
});

test('resource detects nothing, when there are actions only, as in the Collector', () => {
  const attributes = [{ action: 'upsert', key: 'rack', value: 12 }];
  assert.deepEqual(mapResources({ root: createRoot(), attributes }, [{}]), [{ rack: 12 }]);
});

test('resource makes one resource of one, when series share it', () => {
  const next = createTableCollector();
  const config = parseSettings(factory.schema, { detectors: ['os'] });
  const processor = factory.create(config, createFakeContext(), next);
  const resource = { attributes: {} };
  const seriesOf = (name: string): Series => ({
    metric: { name, unit: '1', description: '', kind: 'gauge', valueType: 'int' },
    resource,
    attributes: {},
    start: 0n,
  });
  processor.consume(createRow([seriesOf('a'), seriesOf('b')], 1n, new Float64Array(2)));
  const [a, b] = next.tables[0].series;
  assert.equal(a.resource, b.resource);
});

test('resource names an unknown detector, when the settings are checked', () => {
  const config = parseSettings(factory.schema, { detectors: ['env', 'docker'] });
  assert.deepEqual(factory.check?.(config), ['detectors: expected some of env, host, os, found "docker"']);
});

test('resource describes the resources of histograms, too', () => {
  const next = createTableCollector();
  const config = parseSettings(factory.schema, {
    detectors: [],
    attributes: [{ key: 'site', value: 'lab' }],
  });
  const processor = factory.create(config, createFakeContext(), next);
  const table = histogramTable([[histogramOf(), 1_000, rowOf([1, 2, 3])]]);
  assert.equal(processor.consumeHistograms?.(table), true);
  assert.deepEqual(next.histograms[0].series[0].resource.attributes, { 'service.name': 'shop', site: 'lab' });
});
