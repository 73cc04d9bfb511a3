import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, freemem, tmpdir, totalmem, uptime } from 'node:os';
import { join, relative } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { createFakeContext } from '../../src/contract/fakes.js';
import { attributesKey } from '../../src/model/key.js';
import type { Table } from '../../src/model/table.js';
import { schema } from './config.js';
import { createGroups, HostScraper, metrics } from './host-scraper.js';

const testdata = new URL('../../../receivers/host/testdata/', import.meta.url).pathname;
const groupNames = ['cpu', 'memory', 'network', 'disk', 'load', 'pressure', 'frequency'];

/** A folder with the files of a machine in testdata. */
function copyMachine(t: TestContext, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'host-'));
  t.after(() => rmSync(folder, { recursive: true }));
  cpSync(join(testdata, name), folder, { recursive: true });
  return folder;
}

/** Writes the files of another reading in place: the kernel does not replace its files either. */
function overwrite(folder: string, name: string): void {
  const from = join(testdata, name);
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    const path = relative(from, join(entry.parentPath, entry.name));
    if (entry.isFile()) writeFileSync(join(folder, path), readFileSync(join(from, path)));
  }
}

/** A scraper of these groups. */
function openScraper(t: TestContext, folder: string, groups: readonly string[], settings: object = {}) {
  const config = parseSettings(schema, {
    procfs: join(folder, 'proc'),
    sysfs: join(folder, 'sys'),
    groups: Object.fromEntries(groupNames.map((name) => [name, groups.includes(name)])),
    ...settings,
  });
  const context = createFakeContext();
  const opened = createGroups({ config, clock: context.clock, host: context.host });
  t.after(() => opened.forEach(({ group }) => group.close()));
  return new HostScraper(opened, () => context.clock.wallNs());
}

/** The values of the tables by metric and attribute values, `system.disk.io sda read`, in order. */
function valuesOf(tables: Iterable<Table>): Record<string, number> {
  const entries = [...tables].flatMap(({ series, values }) =>
    series.map(({ metric, attributes }, i): [string, number] => [
      [metric.name, ...Object.values(attributes)].join(' '),
      values[i] ?? NaN,
    ]),
  );
  return Object.fromEntries(entries);
}

function endedOf(tables: readonly Table[]): string[] {
  return tables
    .flatMap(({ ended }) => ended ?? [])
    .map(({ metric, attributes }) => [metric.name, ...Object.values(attributes)].join(' '));
}

function ioTimesOf(tables: readonly Table[]): string[] {
  return Object.keys(valuesOf(tables)).filter((name) => name.startsWith('system.disk.io_time'));
}

/** Reads a machine of four CPUs, and again after some time, a hotplug of each kind and a reset. */
function scrapeTwice(t: TestContext, groups: readonly string[], settings: object = {}) {
  const folder = copyMachine(t, 'server');
  const scraper = openScraper(t, folder, groups, settings);
  const first = [...scraper.scrape(0)];
  overwrite(folder, 'later');
  return { first, later: [...scraper.scrape(0)] };
}

test('CpuGroup begins every counter at 0, when it reads for the first time', (t) => {
  const { first } = scrapeTwice(t, ['cpu']);
  assert.deepEqual(valuesOf(first), {
    'system.cpu.time user': 0,
    'system.cpu.time nice': 0,
    'system.cpu.time system': 0,
    'system.cpu.time idle': 0,
    'system.cpu.time iowait': 0,
    'system.cpu.time interrupt': 0,
    'system.cpu.time steal': 0,
    'system.context_switches': 0,
    'system.process.created': 0,
    'system.cpu.logical.count': 4,
    'system.process.count running': 3,
    'system.process.count blocked': 1,
  });
});

test('CpuGroup counts seconds by mode, when iowait falls back by a tick', (t) => {
  const { later } = scrapeTwice(t, ['cpu']);
  assert.deepEqual(valuesOf(later), {
    'system.cpu.time user': 1.5,
    'system.cpu.time nice': 0,
    'system.cpu.time system': 0.4,
    'system.cpu.time idle': 3.5,
    'system.cpu.time iowait': 0,
    'system.cpu.time interrupt': 0.04,
    'system.cpu.time steal': 0,
    'system.context_switches': 700,
    'system.process.created': 10,
    'system.cpu.logical.count': 3,
    'system.process.count running': 2,
    'system.process.count blocked': 0,
  });
  assert.deepEqual(endedOf(later), []);
});

test('CpuGroup ends the series of a CPU, when per_cpu is set and it goes offline', (t) => {
  const { first, later } = scrapeTwice(t, ['cpu'], { cpu: { per_cpu: true } });
  assert.equal(first[0]?.series.length, 4 * 7 + 2);
  assert.equal(valuesOf(later)['system.cpu.time user 1'], 0.5);
  assert.equal(valuesOf(later)['system.cpu.time idle 2'], 0.5);
  assert.deepEqual(endedOf(later), [
    'system.cpu.time user 3',
    'system.cpu.time nice 3',
    'system.cpu.time system 3',
    'system.cpu.time idle 3',
    'system.cpu.time iowait 3',
    'system.cpu.time interrupt 3',
    'system.cpu.time steal 3',
  ]);
});

test('CpuGroup reads what is there, when an old kernel has few columns', (t) => {
  const values = valuesOf(openScraper(t, copyMachine(t, 'old'), ['cpu']).scrape(0));
  assert.equal(values['system.cpu.logical.count'], 2);
  assert.equal(values['system.cpu.time steal'], 0);
});

test('MemoryGroup gives bytes by state and counts faults, when read twice', (t) => {
  const { later } = scrapeTwice(t, ['memory']);
  assert.deepEqual(valuesOf(later), {
    'system.memory.limit': 16_384_000_000,
    'system.memory.usage used': 7_168_000_000,
    'system.memory.usage free': 4_096_000_000,
    'system.memory.usage buffers': 512_000_000,
    'system.memory.usage cached': 5_120_000_000,
    'system.memory.linux.available': 9_216_000_000,
    'system.memory.linux.shared': 256_000_000,
    'system.memory.linux.slab.usage reclaimable': 307_200_000,
    'system.memory.linux.slab.usage unreclaimable': 102_400_000,
    'system.paging.usage used': 512_000_000,
    'system.paging.usage free': 1_536_000_000,
    'system.paging.faults major': 50,
    'system.paging.faults minor': 200,
    'system.paging.operations in': 3,
    'system.paging.operations out': 0,
  });
});

test('MemoryGroup leaves out what is not told, when an old kernel has no MemAvailable', (t) => {
  const values = valuesOf(openScraper(t, copyMachine(t, 'old'), ['memory']).scrape(0));
  assert.equal(values['system.memory.usage used'], undefined);
  assert.equal(values['system.memory.usage free'], 4_096_000_000);
});

test('NetworkGroup counts exactly, when the counts are beyond 2^53', (t) => {
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

test('NetworkGroup leaves interfaces out, when they are excluded or not included', (t) => {
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

test('NetworkGroup takes the name apart, when an old kernel has a colon in it and no space after it', (t) => {
  const values = valuesOf(openScraper(t, copyMachine(t, 'old'), ['network']).scrape(0));
  assert.equal(values['system.network.io eth0:1 receive'], 0);
});

test('DiskGroup gives bytes and seconds, when the milliseconds wrapped at 2^32', (t) => {
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

test('DiskGroup ends the series of a disk, when it is gone or was plugged in anew', (t) => {
  const { later } = scrapeTwice(t, ['disk']);
  const ended = endedOf(later);
  assert.equal(ended.filter((name) => name.includes('sdb')).length, 9);
  assert.equal(ended.filter((name) => name.includes('nvme0n1')).length, 9);
  assert.equal(valuesOf(later)['system.disk.io nvme0n1 read'], 0);
  assert.equal(valuesOf(later)['system.disk.io sdb read'], undefined);
});

test('DiskGroup reads partitions and loop devices, only when asked to', (t) => {
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

test('DiskGroup passes over partitions, when an old kernel has four numbers of them', (t) => {
  const settings = { disk: { partitions: true } };
  const values = valuesOf(openScraper(t, copyMachine(t, 'old'), ['disk'], settings).scrape(0));
  assert.equal(values['system.disk.io_time sda'], 0);
  assert.equal(values['system.disk.io_time sda1'], undefined);
});

test('LoadGroup gives load averages and uptime', (t) => {
  assert.deepEqual(valuesOf(scrapeTwice(t, ['load']).first), {
    'system.cpu.load_average.1m': 0.5,
    'system.cpu.load_average.5m': 1.25,
    'system.cpu.load_average.15m': 2,
    'system.uptime': 123_456.78,
  });
});

test('PressureGroup counts seconds by resource, when the kernel knows interrupts, too', (t) => {
  assert.deepEqual(valuesOf(scrapeTwice(t, ['pressure']).later), {
    'system.linux.pressure.time cpu some': 0,
    'system.linux.pressure.time memory some': 0,
    'system.linux.pressure.time memory full': 0,
    'system.linux.pressure.time io some': 0.5,
    'system.linux.pressure.time io full': 0.25,
    'system.linux.pressure.time irq full': 0,
  });
});

test('FrequencyGroup follows the CPUs that are online, when there is cpufreq', (t) => {
  const folder = copyMachine(t, 'server');
  const scraper = openScraper(t, folder, ['frequency']);
  assert.deepEqual(valuesOf(scraper.scrape(0)), {
    'system.cpu.frequency 0': 1.2e9,
    'system.cpu.frequency 1': 1.3e9,
    'system.cpu.frequency 2': 1.4e9,
    'system.cpu.frequency 3': 1.5e9,
  });
  const cpus = join(folder, 'sys/devices/system/cpu');
  writeFileSync(join(cpus, 'cpu1/cpufreq/scaling_cur_freq'), '<unknown>\n');
  rmSync(join(cpus, 'cpu3/cpufreq'), { recursive: true });
  writeFileSync(join(cpus, 'online'), '0-2\n');
  const later = [...scraper.scrape(0)];
  assert.deepEqual(valuesOf(later), {
    'system.cpu.frequency 0': 1.2e9,
    'system.cpu.frequency 1': NaN,
    'system.cpu.frequency 2': 1.4e9,
  });
  assert.deepEqual(endedOf(later), ['system.cpu.frequency 3']);
});

test('FrequencyGroup reads cpuinfo, when there is no cpufreq', (t) => {
  assert.deepEqual(valuesOf(openScraper(t, copyMachine(t, 'old'), ['frequency']).scrape(0)), {
    'system.cpu.frequency 0': 2_100_123_000,
    'system.cpu.frequency 1': 800_500_000,
  });
});

test('HostScraper keeps the array of series, when nothing comes or goes', (t) => {
  const scraper = openScraper(t, copyMachine(t, 'server'), groupNames);
  const first = [...scraper.scrape(0)];
  const second = [...scraper.scrape(0)];
  assert.equal(first.length, 9);
  second.forEach((table, i) => assert.equal(table.series, first[i]?.series));
});

test('HostScraper ends every series and counts anew, when the era changes', (t) => {
  const folder = copyMachine(t, 'server');
  const scraper = openScraper(t, folder, groupNames);
  const first = [...scraper.scrape(0)];
  overwrite(folder, 'later');
  const later = [...scraper.scrape(1)];
  const before = first.flatMap(({ series }) => series);
  assert.deepEqual(new Set(later.flatMap(({ ended }) => ended ?? [])), new Set(before));
  assert.ok(later.every(({ series }) => series.every((one) => !before.includes(one))));
  assert.equal(valuesOf(later)['system.cpu.time user'], 0);
});

test('HostScraper reads the other groups and names what is wrong, when files are garbage', (t) => {
  const folder = copyMachine(t, 'server');
  const scraper = openScraper(t, folder, groupNames);
  const [...first] = scraper.scrape(0);
  overwrite(folder, 'garbage');
  const tables: Table[] = [];
  const scrape = () => {
    for (const table of scraper.scrape(0)) tables.push(table);
  };
  assert.throws(scrape, (error: Error) => {
    assert.match(error.message, /Cannot parse \/proc\/stat: no line that begins with "cpu "; /u);
    assert.match(error.message, /meminfo: expected a line that begins with "MemTotal:" and has a number; /u);
    assert.match(error.message, /loadavg: expected 3 decimal numbers, found "none"$/u);
    return true;
  });
  // Nothing that can be read as an interface or a disk is left: theirs have ended. Pressure goes on.
  assert.equal(tables.at(-2)?.values.length, first.at(-2)?.values.length);
  assert.ok(endedOf(tables).includes('system.network.io eth0 receive'));
});

test('HostScraper works again with the same series, when the files do', (t) => {
  const folder = copyMachine(t, 'server');
  const scraper = openScraper(t, folder, ['cpu']);
  const [first] = [...scraper.scrape(0)];
  writeFileSync(join(folder, 'proc/stat'), '');
  assert.throws(() => [...scraper.scrape(0)], /Cannot read .*\/proc\/stat: it is empty/u);
  overwrite(folder, 'later');
  const [later] = [...scraper.scrape(0)];
  assert.equal(later?.series, first?.series);
  assert.equal(valuesOf(later ? [later] : [])['system.cpu.time user'], 1.5);
});

test('HostScraper gives what the system says elsewhere, when run on this machine', (t) => {
  const groups = ['cpu', 'memory', 'network', 'disk', 'load'];
  const tables = [...openScraper(t, '/', groups, { procfs: '/proc', sysfs: '/sys' }).scrape(0)];
  const values = valuesOf(tables);
  assert.equal(values['system.memory.limit'], totalmem());
  // What Node calls free includes the page cache, which can be had at once.
  const available = values['system.memory.linux.available'] ?? NaN;
  assert.ok(Math.abs(available - freemem()) < totalmem() / 4, `${available} and ${freemem()} bytes`);
  assert.ok(Math.abs((values['system.uptime'] ?? NaN) - uptime()) < 60);
  assert.ok((values['system.cpu.logical.count'] ?? NaN) >= availableParallelism());
  const series = tables.flatMap((table) => table.series);
  assert.ok(series.every(({ metric }) => metrics.includes(metric)));
  const keys = series.map(({ metric, attributes }) => metric.name + attributesKey(attributes));
  assert.equal(new Set(keys).size, keys.length);
});
