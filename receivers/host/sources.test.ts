import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import type { Table } from '../../src/model/table.js';
import { endedOf, valuesOf } from '../../src/scraping/source.fixture.js';
import { fc } from '../../src/testing/fixed-seed.fixture.js';
import { schema } from './config.js';
import { listExpectedSeries, listSources, metrics } from './factory.js';
import { copyMachine, groupNames, openScraper, readSteps, scrapeTwice } from './host-machine.fixture.js';

test('the groups publish every metric that they declare, each of the declared kind, on a machine with all sources', (t) => {
  const { later } = scrapeTwice(t, groupNames, { memory: { kinds: true } });
  const published = new Set(later.flatMap(({ series }) => series.map(({ metric }) => metric)));
  assert.deepEqual(new Set(published), new Set(metrics));
  const names = metrics.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
});

test('listSources lists the enabled groups, each with the setting that disables it', () => {
  const groups = Object.fromEntries(groupNames.map((name) => [name, name === 'load' || name === 'pressure']));
  const sources = listSources(parseSettings(schema, { groups }));
  assert.deepEqual(
    sources.map(({ name, remedy }) => [name, remedy]),
    [
      ['load', 'set groups.load: false'],
      ['pressure', 'boot with the kernel parameter psi=1, or set groups.pressure: false'],
    ],
  );
});

function expect(settings: object): readonly string[] {
  const expected = listExpectedSeries(parseSettings(schema, settings));
  return expected.map(({ metric, scope }) => `${metric} ${scope}`);
}

test('listExpectedSeries distinguishes only what other settings select', () => {
  const plain = expect({});
  const changed = {
    cpu: { per_cpu: true },
    network: { include: '^eth' },
    disk: { partitions: true },
  };
  for (const [group, settings] of Object.entries(changed)) {
    const differing = expect({ [group]: settings }).filter((one) => !plain.includes(one));
    const prefix = group === 'cpu' ? 'system.cpu.time ' : `system.${group}.`;
    assert.ok(differing.length > 0 && differing.every((one) => one.startsWith(prefix)), group);
  }
  assert.deepEqual(expect({ collection_interval: '5s' }), plain);
  assert.ok(!expect({ groups: { load: false } }).some((one) => one.startsWith('system.uptime')));
});

test('PressureGroup reads the other resources when one file is damaged or removed', (t) => {
  const folder = copyMachine('server');
  const scraper = openScraper(t, folder, ['pressure']);
  const tables: Table[] = [];
  const scrape = () => {
    for (const table of scraper.scrape(0)) tables.push(table);
  };
  scrape();
  const all = Object.keys(valuesOf(tables.splice(0)));
  assert.equal(all.length, 6);
  writeFileSync(join(folder, 'proc/pressure/io'), 'some avg10=0.00 avg60=0.00 avg300=0.00 total=1000500\n');
  assert.throws(scrape, /pressure\/io: expected a line "full \.\.\. total=" and a number, found none$/u);
  const lost = ['system.linux.pressure.time io some', 'system.linux.pressure.time io full'];
  assert.deepEqual(
    Object.keys(valuesOf(tables)),
    all.filter((name) => !lost.includes(name)),
  );
  assert.deepEqual(endedOf(tables.splice(0)), lost);
  appendFileSync(join(folder, 'proc/pressure/io'), 'full avg10=0.00 avg60=0.00 avg300=0.00 total=200\n');
  scrape();
  assert.equal(valuesOf(tables)['system.linux.pressure.time io some'], 0);
});

const count = fc.bigInt({ min: 0n, max: 2n ** 63n });
const growth = fc.bigInt({ min: 0n, max: 2n ** 40n });

test('NetworkGroup and DiskGroup count every growth exactly, from any start value', (t) => {
  const heading = 'Inter-|\n face |\n';
  const describe = (first: bigint, second: bigint) => ({
    'net/dev': `${heading}  eth0: ${first} 0 0 0 0 0 0 0 ${second} 0 0 0 0 0 0 0\n`,
    diskstats: `   8       0 sda ${first} 0 ${second / 512n} 0 0 0 0 0 0 0 0\n`,
  });
  fc.assert(
    fc.property(count, count, growth, growth, (received, sent, moreReceived, moreSent) => {
      const steps = [describe(received, sent), describe(received + moreReceived, sent + moreSent)];
      const [, values = {}] = readSteps(t, ['network', 'disk'], steps).values;
      const sectors = (sent + moreSent) / 512n - sent / 512n;
      assert.equal(values['system.network.io eth0 receive'], Number(moreReceived));
      assert.equal(values['system.network.io eth0 transmit'], Number(moreSent));
      assert.equal(values['system.disk.operations sda read'], Number(moreReceived));
      assert.equal(values['system.disk.io sda read'], Number(sectors) * 512);
    }),
    { numRuns: 25 },
  );
});

const kib = fc.integer({ min: 0, max: 2 ** 40 });

test('MemoryGroup reports states that are never negative and never exceed the total', (t) => {
  const folder = copyMachine('server');
  const scraper = openScraper(t, folder, ['memory']);
  fc.assert(
    fc.property(kib, kib, kib, kib, (total, available, swapTotal, swapFree) => {
      const lines = { MemTotal: total, MemAvailable: available, SwapTotal: swapTotal, SwapFree: swapFree };
      const others = ['MemFree', 'Buffers', 'Cached', 'Shmem', 'SReclaimable', 'SUnreclaim'];
      const all = { ...lines, ...Object.fromEntries(others.map((name) => [name, 0])) };
      const text = Object.entries(all).map(([name, value]) => `${name}: ${value} kB\n`);
      writeFileSync(join(folder, 'proc/meminfo'), text.join(''));
      const values = valuesOf(scraper.scrape(0));
      const used = values['system.memory.usage used'] ?? NaN;
      const swapUsed = values['system.paging.usage used'] ?? NaN;
      assert.equal(values['system.memory.limit'], total * 1024);
      assert.deepEqual(used, available <= total ? (total - available) * 1024 : NaN);
      assert.deepEqual(swapUsed, swapFree <= swapTotal ? (swapTotal - swapFree) * 1024 : NaN);
    }),
  );
});
