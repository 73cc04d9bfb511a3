import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { endedOf, valuesOf } from '../../src/scraping/source.fixture.js';
import { copyMachine, ioTimesOf, openScraper, readSteps, scrapeTwice } from './host-machine.fixture.js';

test('NetworkGroup counts exactly when the counts are beyond 2^53', (t) => {
  const { later } = scrapeTwice(t, ['network']);
  const values = valuesOf(later);
  assert.equal(values['system.network.io eth0 receive'], 1601);
  assert.equal(values['system.network.io eth0 transmit'], 600);
  assert.equal(values['system.network.packet.count eth0 receive'], 7);
  assert.equal(values['system.network.packet.count eth0 transmit'], 6);
  assert.equal(values['system.network.errors eth0 receive'], 0);
  assert.equal(values['system.network.packet.dropped eth0 receive'], 2);
});

test('NetworkGroup begins a new series, when an interface was reset and when one appears', (t) => {
  const { first, later } = scrapeTwice(t, ['network']);
  const values = valuesOf(later);
  assert.equal(values['system.network.io eth1 receive'], 0);
  assert.equal(values['system.network.io wlan0 receive'], 0);
  const ended = endedOf(later);
  assert.equal(ended.length, 8);
  assert.ok(ended.every((name) => name.includes('eth1')));
  const before = first[0]?.series ?? [];
  assert.ok(later[0]?.series.some((series) => before.includes(series)));
});

test('NetworkGroup leaves interfaces out when they are excluded or not included', (t) => {
  const all = scrapeTwice(t, ['network']).first;
  assert.equal(valuesOf(all)['system.network.io vethab12 receive'], undefined);
  const some = scrapeTwice(t, ['network'], { network: { include: '^(eth|veth)', exclude: '1' } }).first;
  assert.deepEqual(
    Object.keys(valuesOf(some)).filter((name) => name.endsWith('receive')),
    [
      'system.network.io eth0 receive',
      'system.network.packet.count eth0 receive',
      'system.network.errors eth0 receive',
      'system.network.packet.dropped eth0 receive',
    ],
  );
});

test('NetworkGroup parses a name with a colon and no space after it, as in an old kernel', (t) => {
  const values = valuesOf(openScraper(t, copyMachine('old'), ['network']).scrape(0));
  assert.equal(values['system.network.io eth0:1 receive'], 0);
});

test('DiskGroup reports bytes and seconds when the milliseconds wrapped at 2^32', (t) => {
  const { later } = scrapeTwice(t, ['disk']);
  const values = valuesOf(later);
  assert.equal(values['system.disk.operations sda read'], 10);
  assert.equal(values['system.disk.operations sda write'], 20);
  assert.equal(values['system.disk.merged sda read'], 1);
  assert.equal(values['system.disk.merged sda write'], 3);
  assert.equal(values['system.disk.io sda read'], 51_200);
  assert.equal(values['system.disk.io sda write'], 204_800);
  assert.equal(values['system.disk.operation_time sda read'], 0.5);
  assert.equal(values['system.disk.operation_time sda write'], 0.5);
  assert.equal(values['system.disk.io_time sda'], 0.25);
});

test('DiskGroup ends the series of a disk when it is removed or was plugged in again', (t) => {
  const { later } = scrapeTwice(t, ['disk']);
  const ended = endedOf(later);
  assert.equal(ended.filter((name) => name.includes('sdb')).length, 9);
  assert.equal(ended.filter((name) => name.includes('nvme0n1')).length, 9);
  assert.equal(valuesOf(later)['system.disk.io nvme0n1 read'], 0);
  assert.equal(valuesOf(later)['system.disk.io sdb read'], undefined);
});

test('DiskGroup reads partitions and loop devices only when configured to', (t) => {
  assert.deepEqual(ioTimesOf(scrapeTwice(t, ['disk']).first), [
    'system.disk.io_time sda',
    'system.disk.io_time sdb',
    'system.disk.io_time nvme0n1',
  ]);
  assert.deepEqual(
    ioTimesOf(scrapeTwice(t, ['disk'], { disk: { partitions: true, exclude: '^nvme' } }).first),
    [
      'system.disk.io_time loop0',
      'system.disk.io_time sda',
      'system.disk.io_time sda1',
      'system.disk.io_time sdb',
    ],
  );
});

test('DiskGroup ignores partitions when an old kernel has four numbers for them', (t) => {
  const settings = { disk: { partitions: true } };
  const values = valuesOf(openScraper(t, copyMachine('old'), ['disk'], settings).scrape(0));
  assert.equal(values['system.disk.io_time sda'], 0);
  assert.equal(values['system.disk.io_time sda1'], undefined);
});

const netHeading = 'Inter-|   Receive  |  Transmit\n face |bytes    packets errs|bytes\n';
const zeros = ' 0'.repeat(14);

test('NetworkGroup names interfaces as the kernel does, in UTF-8, and marks invalid bytes', (t) => {
  const folder = copyMachine('server');
  const scraper = openScraper(t, folder, ['network']);
  const write = (bytes: number) =>
    writeFileSync(
      join(folder, 'proc/net/dev'),
      Buffer.concat([
        Buffer.from(
          `${netHeading}  フォ1: ${bytes} 1${zeros}\n  bré: ${bytes} 1${zeros}\n a\u00a0b: 0 1${zeros}\n br`,
        ),
        Buffer.of(0xe9),
        Buffer.from(`: ${bytes} 1${zeros}\n br`),
        Buffer.of(0xe8),
        Buffer.from(`: 9${bytes} 1${zeros}\n`),
      ]),
    );
  write(0);
  const [first] = [...scraper.scrape(0)];
  write(14);
  const [later] = [...scraper.scrape(0)];
  assert.equal(later?.series, first?.series);
  const received = Object.entries(valuesOf(later ? [later] : [])).filter(([name]) =>
    /^system\.network\.io .* receive$/u.test(name),
  );
  assert.deepEqual(received, [
    ['system.network.io フォ1 receive', 14],
    ['system.network.io bré receive', 14],
    ['system.network.io a\u00a0b receive', 0],
    ['system.network.io br\ufffd receive', 14],
  ]);
});

const aliasText = (eth0: number, ibr10: number, team0: number) =>
  `${netHeading}  eth0:${eth0} 1${zeros}\nibr10:30:       0       ${ibr10 % 10}${zeros}\n ibr10: ${ibr10} 1${zeros}\nteam0:1:${team0} 1${zeros}\n`;

test('NetworkGroup distinguishes an interface from its aliases, with and without a space after the colon', (t) => {
  const steps = [{ 'net/dev': aliasText(1_000_866_899_965, 161_766_629_091, 0) }];
  steps.push({ 'net/dev': aliasText(1_000_866_901_965, 161_766_629_093, 14) });
  const values = readSteps(t, ['network'], steps).values[1] ?? {};
  assert.equal(values['system.network.io eth0 receive'], 2000);
  assert.equal(values['system.network.io ibr10 receive'], 2);
  assert.equal(values['system.network.packet.count ibr10:30 receive'], 2);
  assert.equal(values['system.network.io team0:1 receive'], 14);
});

const diskText = (step: number) =>
  Buffer.from(
    [
      `   8       0 sda ${50_300 + step} 93278 1377416 885804 110483 174077 2027818 2201276 0 1726664 2959017 0 0 0 0`,
      '   8       1 sda1 50262 93278 1375072 885771',
      `   8      16 sdb ${104_019 + step} 1 8 3 1 0 8 4 0 5 6 0 0 0 0 2303 1625`,
      ` 259       0 nvme0n1 ${step} 1 2 3 4 5 6 7 0 9 10`,
      ` 253       0 dm-0 1 0 8 ${[4_294_967_000, 4, 304][step]} 1 0 8 ${[4_294_967_290, 4, 14][step]} 0 ${[4_294_967_000, 204, 704][step]} 5`,
      ` 104       0 cciss/c0d0 ${step} 0 8 3 1 0 8 4 0 5 6`,
      '\0'.repeat(200),
      ` 179       8 größe${'x'.repeat(120)} ${step} 0 8 3 1 0 8 4 0 5 6`,
      '',
    ].join('\n'),
  );

test('DiskGroup reads lines of different kernel versions, and names in UTF-8', (t) => {
  const folder = copyMachine('server');
  const scraper = openScraper(t, folder, ['disk']);
  const readings = [0, 1, 2].map((step) => {
    writeFileSync(join(folder, 'proc/diskstats'), diskText(step));
    return Array.from(scraper.scrape(0));
  });
  const values = valuesOf(readings[2] ?? []);
  for (const name of ['sda', 'sdb', 'nvme0n1', 'cciss/c0d0', `größe${'x'.repeat(120)}`]) {
    assert.equal(values[`system.disk.operations ${name} read`], 2, name);
  }
  assert.equal(values['system.disk.operation_time dm-0 read'], 0.6);
  assert.equal(values['system.disk.operation_time dm-0 write'], 0.02);
  assert.equal(values['system.disk.io_time dm-0'], 1);
  assert.ok(readings.every(([table]) => table?.series === readings[0]?.[0]?.series));
});

test('DiskGroup reports nothing when the machine has no block device, and fails when it has one', (t) => {
  const folder = copyMachine('server');
  writeFileSync(join(folder, 'proc/diskstats'), '');
  const scraper = openScraper(t, folder, ['disk']);
  const devices = join(folder, 'sys/class/block');
  rmSync(devices, { recursive: true, force: true });
  mkdirSync(devices, { recursive: true });
  assert.deepEqual(valuesOf(scraper.scrape(0)), {});
  mkdirSync(join(devices, 'sda'));
  assert.throws(() => [...scraper.scrape(0)], /diskstats: expected text, found none/u);
});
