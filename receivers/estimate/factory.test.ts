import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { EstimateScraper } from './estimate-scraper.js';
import { factory } from './factory.js';

function createProcfs(stat: string): string {
  const folder = createFolder();
  writeFileSync(join(folder, 'stat'), stat);
  return folder;
}

const fourCpus = 'cpu  0 0 0 0\ncpu0 0 0 0 0\ncpu1 0 0 0 0\ncpu2 0 0 0 0\ncpu3 0 0 0 0\nctxt 1\n';

test('factory.probe states the model, when /proc/stat can be read', async () => {
  const config = parseSettings(factory.schema, { procfs: createProcfs(fourCpus) });
  assert.deepEqual(await factory.probe(config, createFakeContext()), {
    available: true,
    found:
      'power by CPU use: 2.96 W idle to 14 W at full use of 4 CPUs (averages of Cloud Carbon Footprint for AWS)',
    remedies: [],
  });
});

test('factory.probe reports what is missing, when there is no /proc/stat', async () => {
  const probe = await factory.probe(
    parseSettings(factory.schema, { procfs: '/nowhere' }),
    createFakeContext(),
  );
  assert.equal(probe.available, false);
  assert.equal(probe.found, 'Cannot read /nowhere/stat: ENOENT');
});

function check(settings: object) {
  return factory.check?.(parseSettings(factory.schema, settings));
}

test('factory.check requires both powers or none, and the greater one to be greater', () => {
  assert.deepEqual(check({}), []);
  assert.deepEqual(check({ idle_power: 30, max_power: 100 }), []);
  assert.deepEqual(check({ idle_power: 30 }), [
    'max_power: expected a power because idle_power is set, found none',
  ]);
  assert.deepEqual(check({ max_power: 30 }), [
    'idle_power: expected a power because max_power is set, found none',
  ]);
  assert.deepEqual(check({ idle_power: 100, max_power: 30 }), [
    'max_power: expected at least idle_power, 100 W, found 30 W',
  ]);
});

test('EstimateReceiver does not start, when /proc/stat cannot be parsed', async () => {
  const config = parseSettings(factory.schema, { procfs: createProcfs('garbage\n') });
  const receiver = factory.create(config, createFakeContext(), createTableCollector());
  await assert.rejects(async () => receiver.start(), { name: 'UnavailableError' });
  await receiver.shutdown();
});

test('EstimateReceiver gives energy between idle and full use, when run on this machine', async () => {
  const log = createLogCollector();
  const next = createTableCollector();
  const config = parseSettings(factory.schema, {
    idle_power: 10,
    max_power: 50,
    collection_interval: '50ms',
  });
  const receiver = factory.create(config, createFakeContext({ log }), next);
  const earliest = performance.now();
  await receiver.start();
  await until(() => next.tables.length > 0);
  const afterFirst = performance.now();
  await until(() => next.tables.length > 3);
  const beforeLast = performance.now();
  await receiver.shutdown();
  const latest = performance.now();
  const n = cpus().length;
  assert.deepEqual(log.lines, [
    `info: Estimating power by CPU use: 10 W idle to 50 W at full use of ${n} CPUs (as configured)`,
  ]);
  const [energy] = next.last('hw.host.energy');
  const joules = energy?.value ?? NaN;
  const [minSeconds, maxSeconds] = [(beforeLast - afterFirst) / 1000, (latest - earliest) / 1000];
  assert.ok(joules >= 10 * minSeconds && joules <= 50 * maxSeconds, `${joules} J in ${maxSeconds} s`);
  assert.deepEqual(energy?.series.attributes, {
    'hw.type': 'host',
    'hw.id': 'host-estimate',
    'hw.name': 'Host, estimated',
    'energy.method': 'estimated',
    'energy.model': 'linear',
  });
  assert.equal(next.last('energy.floor.power')[0]?.value, 10);
});

test('EstimateScraper ends its series and counts from 0, when the clock was stepped or the machine slept', (t) => {
  const config = parseSettings(factory.schema, { procfs: createProcfs(fourCpus) });
  const scraper = new EstimateScraper(config, createFakeContext());
  t.after(() => scraper.close());
  const [first] = scraper.scrape(1);
  const [ending, second] = scraper.scrape(2);
  assert.equal(ending?.ended, first?.series);
  assert.notEqual(second?.series[0], first?.series[0]);
  assert.equal(second?.values[0], 0);
});
