import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Table } from '../../src/model/table.js';
import { runAtOnce, Source } from '../../src/scraping/source.js';
import { endedOf, valuesOf } from '../../src/scraping/source.fixture.js';
import { schema } from './config.js';
import { describeFrequency } from './frequency-group.js';
import { copyMachine, openScraper, scrapeTwice } from './host-machine.fixture.js';

test('CpuGroup starts every counter at 0 with the first reading', (t) => {
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
    'system.linux.thread.count running': 3,
    'system.linux.thread.count blocked': 1,
  });
});

test('CpuGroup counts seconds by mode when iowait decreases by a tick', (t) => {
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
    'system.linux.thread.count running': 2,
    'system.linux.thread.count blocked': 0,
  });
  assert.deepEqual(endedOf(later), []);
});

test('CpuGroup ends the series of a CPU when per_cpu is set and it goes offline', (t) => {
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

test('CpuGroup reads the existing columns when an old kernel has few', (t) => {
  const values = valuesOf(openScraper(t, copyMachine('old'), ['cpu']).scrape(0));
  assert.equal(values['system.cpu.logical.count'], 2);
  assert.equal(values['system.cpu.time steal'], 0);
});

test('MemoryGroup reports bytes by state and counts faults when read twice', (t) => {
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
    'system.paging.operations major in': 3,
    'system.paging.operations major out': 0,
  });
});

test('MemoryGroup reports further kinds of memory when configured to', (t) => {
  const folder = copyMachine('server');
  appendFileSync(
    join(folder, 'proc/meminfo'),
    'Active: 3000 kB\nActive(anon): 1000 kB\nMapped: 700 kB\nDirty: 16000001 kB\nPercpu: 5 kB\n',
  );
  const values = valuesOf(openScraper(t, folder, ['memory'], { memory: { kinds: true } }).scrape(0));
  const kinds = Object.entries(values).filter(([name]) => name.startsWith('system.memory.linux.kind.usage'));
  assert.deepEqual(Object.fromEntries(kinds.map(([name, value]) => [name.split(' ')[1], value])), {
    active: 3_072_000,
    mapped: 716_800,
    // Exceeds the memory of the machine.
    dirty: NaN,
    per_cpu: 5120,
    swap_cached: 0,
  });
});

test('MemoryGroup leaves out unknown values when an old kernel has no MemAvailable', (t) => {
  const values = valuesOf(openScraper(t, copyMachine('old'), ['memory']).scrape(0));
  assert.equal(values['system.memory.usage used'], undefined);
  assert.equal(values['system.memory.usage free'], 4_096_000_000);
});

test('MemoryGroup reports the contents of one file when this kernel has no other', (t) => {
  const folder = copyMachine('server');
  rmSync(join(folder, 'proc/vmstat'));
  const values = valuesOf(openScraper(t, folder, ['memory']).scrape(0));
  assert.equal(values['system.memory.limit'], 16_384_000_000);
  assert.equal(values['system.paging.faults major'], undefined);
});

test('MemoryGroup reports the contents of one file and names the other when that is garbage', (t) => {
  const folder = copyMachine('server');
  writeFileSync(join(folder, 'proc/vmstat'), 'none\n');
  const tables: Table[] = [];
  assert.throws(() => {
    for (const table of openScraper(t, folder, ['memory']).scrape(0)) tables.push(table);
  }, /^Error: .*vmstat: expected a line that begins with "pgmajfault " and has a number, found none$/u);
  assert.equal(valuesOf(tables)['system.memory.limit'], 16_384_000_000);
});

test('LoadGroup reports load averages and uptime', (t) => {
  assert.deepEqual(valuesOf(scrapeTwice(t, ['load']).first), {
    'system.cpu.load_average.1m': 0.5,
    'system.cpu.load_average.5m': 1.25,
    'system.cpu.load_average.15m': 2,
    'system.uptime': 123_456.78,
  });
});

test('PressureGroup counts seconds by resource, including interrupts if the kernel has them', (t) => {
  assert.deepEqual(valuesOf(scrapeTwice(t, ['pressure']).later), {
    'system.linux.pressure.time cpu some': 0,
    'system.linux.pressure.time memory some': 0,
    'system.linux.pressure.time memory full': 0,
    'system.linux.pressure.time io some': 0.5,
    'system.linux.pressure.time io full': 0.25,
    'system.linux.pressure.time irq full': 0,
  });
});

test('PressureGroup counts the other resources when one cannot be read', (t) => {
  const folder = copyMachine('server');
  const scraper = openScraper(t, folder, ['pressure']);
  const { length } = Object.keys(valuesOf(scraper.scrape(0)));
  rmSync(join(folder, 'proc/pressure/memory'));
  const left = valuesOf(openScraper(t, folder, ['pressure']).scrape(0));
  assert.deepEqual([length, Object.keys(left).length], [6, 4]);
  assert.equal(left['system.linux.pressure.time memory some'], undefined);
});

test('FrequencyGroup follows the online CPUs with cpufreq', (t) => {
  const folder = copyMachine('server');
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

test('FrequencyGroup closes the files of a removed CPU', (t) => {
  const folder = copyMachine('server');
  const config = parseSettings(schema, {
    procfs: join(folder, 'proc'),
    sysfs: join(folder, 'sys'),
  });
  const source = new Source(createFakeContext(), describeFrequency(config));
  t.after(() => source.close());
  runAtOnce(source.read());
  const cpus = join(folder, 'sys/devices/system/cpu');
  const find = () => [2, 3].map((cpu) => source.file(join(cpus, `cpu${cpu}/cpufreq/scaling_cur_freq`)));
  const [kept, gone] = find();
  rmSync(join(cpus, 'cpu3/cpufreq'), { recursive: true });
  writeFileSync(join(cpus, 'online'), '0-2\n');
  runAtOnce(source.read());
  const later = find();
  assert.equal(later[0], kept);
  assert.notEqual(later[1], gone);
});

test('FrequencyGroup reads cpuinfo without cpufreq', (t) => {
  assert.deepEqual(valuesOf(openScraper(t, copyMachine('old'), ['frequency']).scrape(0)), {
    'system.cpu.frequency 0': 2_100_123_000,
    'system.cpu.frequency 1': 800_500_000,
  });
});

test('PressureGroup counts all resources without an error when cpu has no "full" and there is no irq', (t) => {
  const folder = copyMachine('server');
  rmSync(join(folder, 'proc/pressure/irq'));
  const scraper = openScraper(t, folder, ['pressure']);
  const write = (total: number) =>
    writeFileSync(
      join(folder, 'proc/pressure/cpu'),
      `some avg10=2.65 avg60=2.78 avg300=2.92 total=${total}\n`,
    );
  write(111_749_368_752);
  const first = valuesOf(scraper.scrape(0));
  write(111_751_368_752);
  assert.deepEqual(Object.keys(first), [
    'system.linux.pressure.time cpu some',
    'system.linux.pressure.time memory some',
    'system.linux.pressure.time memory full',
    'system.linux.pressure.time io some',
    'system.linux.pressure.time io full',
  ]);
  assert.equal(valuesOf(scraper.scrape(0))['system.linux.pressure.time cpu some'], 2);
});

/** Readings of a group some of whose files are unreadable or lack lines. */
function readDamaged(t: TestContext, group: string, damage: (folder: string) => void) {
  const folder = copyMachine('server');
  damage(folder);
  const scraper = openScraper(t, folder, [group]);
  const tables: Table[] = [];
  const scrape = () => {
    for (const table of scraper.scrape(0)) tables.push(table);
  };
  return { scrape, tables };
}

/** Leaves a line out of a file. */
function dropLine(path: string, label: string): void {
  const lines = readFileSync(path, 'utf8').split('\n');
  writeFileSync(path, lines.filter((line) => !line.startsWith(label)).join('\n'));
}

test('LoadGroup reports the load averages when the uptime cannot be read', (t) => {
  const { scrape, tables } = readDamaged(t, 'load', (folder) =>
    writeFileSync(join(folder, 'proc/uptime'), ''),
  );
  assert.throws(scrape, /Cannot read .*\/proc\/uptime: expected text, found none/u);
  assert.deepEqual(Object.keys(valuesOf(tables)), [
    'system.cpu.load_average.1m',
    'system.cpu.load_average.5m',
    'system.cpu.load_average.15m',
  ]);
});

test('LoadGroup reports the uptime when the kernel has no load averages', (t) => {
  const { scrape, tables } = readDamaged(t, 'load', (folder) => rmSync(join(folder, 'proc/loadavg')));
  scrape();
  assert.deepEqual(Object.keys(valuesOf(tables)), ['system.uptime']);
});

test('CpuGroup reports CPU time when other lines are missing', (t) => {
  const { scrape, tables } = readDamaged(t, 'cpu', (folder) => {
    for (const label of ['ctxt', 'procs_blocked']) dropLine(join(folder, 'proc/stat'), label);
  });
  assert.throws(scrape, /stat: expected a line that begins with "ctxt ".*"procs_blocked "/u);
  const values = valuesOf(tables);
  assert.equal(values['system.cpu.time user'], 0);
  assert.equal(values['system.process.created'], 0);
  assert.equal(values['system.linux.thread.count running'], 3);
  assert.equal(values['system.linux.thread.count blocked'], NaN);
  assert.ok(!('system.context_switches' in values));
});

test('MemoryGroup counts page faults when the kernel does not count swapping', (t) => {
  const { scrape, tables } = readDamaged(t, 'memory', (folder) =>
    dropLine(join(folder, 'proc/vmstat'), 'pswp'),
  );
  assert.throws(scrape, /vmstat: expected a line that begins with "pswpin "/u);
  const values = valuesOf(tables);
  assert.equal(values['system.paging.faults major'], 0);
  assert.ok(!('system.paging.operations major in' in values));
  assert.equal(values['system.memory.limit'], 16_384_000_000);
});

test('FrequencyGroup reports frequencies when the list of online CPUs cannot be read', (t) => {
  for (const machine of ['server', 'old']) {
    const folder = copyMachine(machine);
    rmSync(join(folder, 'sys/devices/system/cpu/online'));
    const values = valuesOf(openScraper(t, folder, ['frequency']).scrape(0));
    assert.ok((values['system.cpu.frequency 1'] ?? 0) > 1e8, machine);
  }
});
