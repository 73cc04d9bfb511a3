import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { availableParallelism, freemem, totalmem, uptime } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { attributesKey } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { endedOf, valuesOf } from '../../src/scraping/source.fixture.js';
import { factory, metrics } from './factory.js';
import { copyMachine, groupNames, openScraper, overwrite } from './host-machine.fixture.js';

const testdata = new URL('../../../receivers/host/testdata/', import.meta.url).pathname;

function configOf(machine: string, settings: object = {}) {
  const procfs = `${testdata}${machine}/proc`;
  return parseSettings(factory.schema, { procfs, sysfs: `${testdata}${machine}/sys`, ...settings });
}

test('factory.probe lists available and missing sources when a kernel has no pressure', async () => {
  const probe = await factory.probe(configOf('old'), createFakeContext());
  assert.equal(probe.available, true);
  assert.equal(probe.found, 'procfs and sysfs: cpu, memory, network, disk, load, frequency');
  assert.deepEqual(probe.remedies, [
    {
      missing: `pressure: Cannot read ${testdata}old/proc/pressure/cpu: ENOENT`,
      command: 'boot with the kernel parameter psi=1, or set groups.pressure: false',
    },
  ]);
});

test('factory.probe reports that no source is available without procfs', async () => {
  const probe = await factory.probe(configOf('nowhere'), createFakeContext());
  assert.equal(probe.available, false);
});

test('HostReceiver leaves out sources that the kernel does not have and reads the others', async () => {
  const log = createLogCollector();
  const next = createTableCollector();
  const receiver = factory.create(configOf('old'), createFakeContext({ log }), next);
  await receiver.start();
  await receiver.shutdown();
  await receiver.shutdown();
  assert.deepEqual(log.lines, [
    `info: Leaving out pressure: Cannot read ${testdata}old/proc/pressure/cpu: ENOENT`,
  ]);
  assert.equal(next.last('system.cpu.logical.count')[0]?.value, 2);
  assert.equal(next.last('system.network.io').length, 2);
});

test('HostReceiver does not start when nothing can be read', async () => {
  const receiver = factory.create(configOf('nowhere'), createFakeContext(), createTableCollector());
  await assert.rejects(async () => receiver.start(), {
    name: 'UnavailableError',
    message: /^Cannot read cpu, memory, .*, frequency: expected one of them on this machine, found none$/,
  });
});

test('HostReceiver shuts down when it was never started', async () => {
  await factory.create(configOf('old'), createFakeContext(), createTableCollector()).shutdown();
});

test('HostScraper keeps the array of series when no device is added or removed', (t) => {
  const scraper = openScraper(t, copyMachine('server'), groupNames);
  const first = [...scraper.scrape(0)];
  const second = [...scraper.scrape(0)];
  assert.equal(first.length, 10);
  second.forEach((table, i) => assert.equal(table.series, first[i]?.series));
});

test('HostScraper ends every series and restarts the counts when the clock was stepped or the machine slept', (t) => {
  const folder = copyMachine('server');
  const scraper = openScraper(t, folder, groupNames);
  const first = [...scraper.scrape(0)];
  overwrite(folder, 'later');
  const later = [...scraper.scrape(1)];
  const before = first.flatMap(({ series }) => series);
  assert.deepEqual(new Set(later.flatMap(({ ended }) => ended ?? [])), new Set(before));
  assert.ok(later.every(({ series }) => series.every((one) => !before.includes(one))));
  assert.equal(valuesOf(later)['system.cpu.time user'], 0);
});

test('HostScraper reads the other groups and names the damaged file when files are garbage', (t) => {
  const folder = copyMachine('server');
  const scraper = openScraper(t, folder, groupNames);
  const [...first] = scraper.scrape(0);
  overwrite(folder, 'garbage');
  const tables: Table[] = [];
  const scrape = () => {
    for (const table of scraper.scrape(0)) tables.push(table);
  };
  assert.throws(scrape, (error: Error) => {
    assert.match(
      error.message,
      /Cannot parse \/proc\/stat: expected a line that begins with "cpu ", found none; /u,
    );
    assert.match(
      error.message,
      /meminfo: expected a line that begins with "MemTotal:" and has a number, found none; /u,
    );
    assert.match(error.message, /net\/dev: expected the heading of interfaces, found something else; /u);
    assert.match(error.message, /diskstats: expected block devices, found something else; /u);
    assert.match(error.message, /loadavg: expected 3 decimal numbers, found "none"$/u);
    return true;
  });
  // Interfaces and disks continue to count once they can be read again. Pressure continues.
  assert.equal(tables.at(-2)?.values.length, first.at(-2)?.values.length);
  assert.deepEqual(endedOf(tables), []);
});

test('HostScraper recovers with the same series when the files do', (t) => {
  const folder = copyMachine('server');
  const scraper = openScraper(t, folder, ['cpu']);
  const [first] = [...scraper.scrape(0)];
  writeFileSync(join(folder, 'proc/stat'), '');
  assert.throws(() => [...scraper.scrape(0)], /Cannot read .*\/proc\/stat: expected text, found none/u);
  overwrite(folder, 'later');
  const [later] = [...scraper.scrape(0)];
  assert.equal(later?.series, first?.series);
  assert.equal(valuesOf(later ? [later] : [])['system.cpu.time user'], 1.5);
});

test('HostScraper agrees with other sources of the system when run on this machine', (t) => {
  const groups = ['cpu', 'memory', 'network', 'disk', 'load'];
  const tables = [...openScraper(t, '/', groups, { procfs: '/proc', sysfs: '/sys' }).scrape(0)];
  const values = valuesOf(tables);
  assert.equal(values['system.memory.limit'], totalmem());
  // Node's free memory includes the page cache, which is available immediately.
  const available = values['system.memory.linux.available'] ?? NaN;
  assert.ok(Math.abs(available - freemem()) < totalmem() / 4, `${available} and ${freemem()} bytes`);
  assert.ok(Math.abs((values['system.uptime'] ?? NaN) - uptime()) < 60);
  assert.ok((values['system.cpu.logical.count'] ?? NaN) >= availableParallelism());
  const series = tables.flatMap((table) => table.series);
  assert.ok(series.every(({ metric }) => metrics.includes(metric)));
  const keys = series.map(({ metric, attributes }) => metric.name + attributesKey(attributes));
  assert.equal(new Set(keys).size, keys.length);
});
