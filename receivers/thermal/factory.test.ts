import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { endedOf, openScraperOf, valuesOf, writeFiles } from '../../src/scraping/source.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { factory, listSources } from './factory.js';

/** The zone and the device of node_exporter's fixtures, for which it publishes 12.376, 0 and 3. */
const nodeExporter = {
  'class/thermal/cooling_device0/type': 'Processor\n',
  'class/thermal/cooling_device0/cur_state': '0\n',
  'class/thermal/cooling_device0/max_state': '3\n',
  'class/thermal/thermal_zone0/type': 'cpu-thermal\n',
  'class/thermal/thermal_zone0/temp': '12376\n',
  'class/thermal/thermal_zone0/policy': 'step_wise\n',
};
const laptop = {
  ...nodeExporter,
  'class/thermal/cooling_device1/type': 'intel_powerclamp\n',
  'class/thermal/cooling_device1/cur_state': '-1\n',
  'class/thermal/cooling_device1/max_state': '50\n',
  'class/thermal/thermal_zone1/type': 'x86_pkg_temp\n',
  'class/thermal/thermal_zone1/temp': '-4000\n',
  'class/thermal/thermal_zone1/trip_point_0_type': 'passive\n',
  'class/thermal/thermal_zone1/trip_point_0_temp': '0\n',
  'class/thermal/thermal_zone1/trip_point_1_type': 'critical\n',
  'class/thermal/thermal_zone1/trip_point_1_temp': '105000\n',
  'class/thermal/thermal_zone1/trip_point_2_type': 'active\n',
  'class/thermal/thermal_zone1/trip_point_2_temp': '-274000\n',
};

function open(t: TestContext, files: Readonly<Record<string, string>>, settings: object = {}) {
  const sysfs = createFolder();
  writeFiles(sysfs, files);
  const config = parseSettings(factory.schema, { sysfs, ...settings });
  return { sysfs, config, scraper: openScraperOf(t, listSources(config)) };
}

test('thermal publishes zones and cooling devices like node_exporter', (t) => {
  assert.deepEqual(valuesOf(open(t, nodeExporter).scraper.scrape(0)), {
    'hw.temperature temperature thermal_zone0 cpu-thermal': 12.376,
    'hw.cooling.state cooling_device cooling_device0 Processor': 0,
    'hw.cooling.state.limit cooling_device cooling_device0 Processor': 3,
  });
});

test('thermal omits values that a driver does not have: unset trip points, an idle device', (t) => {
  const zone = 'temperature thermal_zone1 x86_pkg_temp';
  const values = valuesOf(open(t, laptop).scraper.scrape(0));
  assert.equal(values[`hw.temperature ${zone}`], -4);
  assert.equal(values[`hw.temperature.limit ${zone} throttled 0`], NaN);
  assert.equal(values[`hw.temperature.limit ${zone} high.critical 1`], 105);
  assert.equal(values[`hw.temperature.limit ${zone} active 2`], NaN);
  assert.equal(values['hw.cooling.state cooling_device cooling_device1 intel_powerclamp'], NaN);
  assert.equal(values['hw.cooling.state.limit cooling_device cooling_device1 intel_powerclamp'], 50);
});

test('thermal follows zones that are added and removed, and a zone that takes the name of another', (t) => {
  const { sysfs, scraper } = open(t, laptop);
  const first = valuesOf(scraper.scrape(0));
  rmSync(join(sysfs, 'class/thermal/thermal_zone1'), { recursive: true });
  writeFiles(sysfs, {
    'class/thermal/thermal_zone2/type': 'wifi\n',
    'class/thermal/thermal_zone2/temp': '40000\n',
  });
  const tables = [...scraper.scrape(0)];
  assert.equal(valuesOf(tables)['hw.temperature temperature thermal_zone2 wifi'], 40);
  assert.deepEqual(
    endedOf(tables),
    Object.keys(first).filter((name) => name.includes('thermal_zone1')),
  );
});

test('thermal reports a zone that cannot be parsed and reads the others', (t) => {
  const { sysfs, scraper } = open(t, laptop);
  for (const text of ['', 'hot\n', '12 34\n', '\n']) {
    writeFiles(sysfs, { 'class/thermal/thermal_zone0/temp': text });
    const scrape = scraper.scrape(0);
    const [zones] = scrape;
    assert.equal(
      valuesOf(zones ? [zones] : [])['hw.temperature temperature thermal_zone1 x86_pkg_temp'],
      -4,
      text,
    );
    assert.throws(() => [...scraper.scrape(0)], /thermal_zone0\/temp: expected/u, text);
  }
});

test('thermal has a gap for an impossible temperature', (t) => {
  const { sysfs, scraper } = open(t, nodeExporter);
  for (const text of ['-273200\n', '4294967295\n', '-2147483648\n']) {
    writeFiles(sysfs, { 'class/thermal/thermal_zone0/temp': text });
    assert.equal(
      valuesOf(scraper.scrape(0))['hw.temperature temperature thermal_zone0 cpu-thermal'],
      NaN,
      text,
    );
  }
});

test('thermal omits parts that are off or absent, and is unavailable without any', async (t) => {
  const { config, sysfs } = open(t, nodeExporter, { cooling_devices: false });
  assert.deepEqual(
    listSources(config).map(({ name }) => name),
    ['zones', 'trip points'],
  );
  const log = createLogCollector();
  const receiver = factory.create(config, createFakeContext({ log }), createTableCollector());
  await receiver.start();
  await receiver.shutdown();
  assert.deepEqual(log.lines, [
    `info: Leaving out trip points: Cannot read trip points of ${sysfs}/class/thermal: expected at least one, found none`,
  ]);
  const none = await factory.probe(
    parseSettings(factory.schema, { sysfs: createFolder() }),
    createFakeContext(),
  );
  assert.equal(none.available, false);
});
