import assert from 'node:assert/strict';
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  below,
  container,
  first,
  nameOf,
  openMachine,
  startOf,
  unified,
  write,
  type Scanned,
} from './fake-cgroups.fixture.js';

const path = `/system.slice/docker-${container}.scope`;
const allMetrics = { metrics: { pressure: true } };

test('CgroupScraper reads the gauges of a version 2 container under the names of the semantic conventions', async (t) => {
  const { scan } = openMachine(t, unified, allMetrics);
  const { series, values } = await scan();
  const { resource } = series.find((one) => one.metric.name === 'container.memory.usage') ?? {};
  assert.deepEqual(resource?.attributes, {
    'host.name': 'node',
    'linux.cgroup.path': path,
    'systemd.slice': 'system.slice',
    'systemd.unit': `docker-${container}.scope`,
    'container.id': container,
    'container.runtime.name': 'docker',
  });
  const gauges = Object.entries(below(values, path)).filter(([, value]) => value !== 0);
  assert.deepEqual(Object.fromEntries(gauges), {
    'container.memory.usage': 2000,
    'container.memory.working_set': 1800,
    'container.memory.rss': 600,
    'linux.cgroup.memory.file': 1200,
    'linux.cgroup.memory.limit': 5000,
    'linux.cgroup.memory.swap': 140,
    'linux.cgroup.memory.swap_limit': 300,
    'linux.cgroup.pids.usage': 6,
    'linux.cgroup.pids.limit': 100,
  });
  assert.equal(values['/system.slice linux.cgroup.memory.usage'], 9000);
  assert.equal('/system.slice linux.cgroup.memory.limit' in values, false);
  assert.equal('/system.slice linux.cgroup.memory.swap_limit' in values, false);
});

test('CgroupScraper counts from the first scan, and for a cgroup that is created later from its creation', async (t) => {
  const { folder, scan, sysfs } = openMachine(t, unified, { ...allMetrics, details_interval: '1s' });
  symlinkSync('../../devices/virtual/block/vda', join(sysfs, 'dev/block/254:0'));
  const before = await scan();
  const cpuTime = '/system.slice linux.cgroup.cpu.time user';
  assert.equal(before.values[cpuTime], 0);
  const made = Object.entries(unified).filter(([file]) => file.startsWith('system.slice/docker'));
  write(folder, {
    'system.slice/cpu.stat': 'usage_usec 30000000\nuser_usec 20500000\nsystem_usec 9500000\n',
    ...Object.fromEntries(made.map(([file, text]) => [file.replace('docker', 'new/docker'), text])),
  });
  const after = await scan();
  assert.equal(after.values[cpuTime], 2.5);
  assert.equal(startOf(after, cpuTime), startOf(before, cpuTime));
  const born = path.replace('docker', 'new/docker');
  const counters = Object.entries(below(after.values, born)).filter(
    ([name]) => !/memory\.[^e]|pids/u.test(name),
  );
  assert.deepEqual(Object.fromEntries(counters), {
    'linux.cgroup.cpu.time user': 4,
    'linux.cgroup.cpu.time system': 2,
    'container.cpu.time user': 4,
    'container.cpu.time system': 2,
    'linux.cgroup.cpu.periods': 20,
    'linux.cgroup.cpu.throttled_periods': 2,
    'linux.cgroup.cpu.throttled_time': 1,
    'container.paging.faults minor': 90,
    'container.paging.faults major': 10,
    'linux.cgroup.memory.events oom': 2,
    'linux.cgroup.memory.events oom_kill': 4,
    'container.disk.io read vda': 8192,
    'container.disk.io write vda': 16384,
    'linux.cgroup.disk.operations read vda': 2,
    'linux.cgroup.disk.operations write vda': 4,
    'linux.cgroup.pressure.time cpu some': 2,
    'linux.cgroup.pressure.time cpu full': 1,
  });
  const start = startOf(after, `${born} linux.cgroup.cpu.time user`) ?? 0n;
  const [row] = before.tables;
  assert.ok(row && start <= (after.tables[0]?.epoch ?? 0n) && start >= row.epoch - 1_000_000_000n);
});

test('CgroupScraper repeats the CPU time of an idle cgroup, also after a failed reading', async (t) => {
  const name = '/a linux.cgroup.cpu.time user';
  const [used, more] = [1_000_000, 3_000_000].map(
    (us) => `usage_usec ${us}\nuser_usec ${us}\nsystem_usec 0\n`,
  );
  const files = { ...unified, 'a/cpu.stat': used ?? '', 'b/cpu.stat': used ?? '' };
  const { folder, scan } = openMachine(t, files);
  const read = async (text?: string) => {
    if (text !== undefined) write(folder, { 'a/cpu.stat': text });
    const { values } = await scan();
    return [values[name], values['/b linux.cgroup.cpu.time user']];
  };
  await scan();
  const all = [await read(more), await read(), await read('torn'), await read(more), await read()];
  assert.deepEqual(all, [
    [2, 0],
    [2, 0],
    [NaN, 0],
    [2, 0],
    [2, 0],
  ]);
  const after = await scan(1);
  assert.equal(after.values[name], 0);
});

test('CgroupScraper publishes the values of the root, which has fewer than other cgroups', async (t) => {
  const { values } = await openMachine(t, unified).scan();
  assert.deepEqual(Object.keys(below(values, '/')), [
    'linux.cgroup.cpu.time user',
    'linux.cgroup.cpu.time system',
    'linux.cgroup.disk.io read 254:0',
    'linux.cgroup.disk.io write 254:0',
    'linux.cgroup.disk.operations read 254:0',
    'linux.cgroup.disk.operations write 254:0',
  ]);
});

test('CgroupScraper ends the series of a removed cgroup, and starts new ones when it is created again', async (t) => {
  const { folder, scan } = openMachine(t, unified);
  const before = await scan();
  const files = Object.entries(unified).filter(([file]) => file.startsWith('system.slice/docker'));
  rmSync(join(folder, `system.slice/docker-${container}.scope`), { recursive: true });
  write(folder, Object.fromEntries(files));
  const after = await scan();
  const own = (series: Scanned['series']) => series.filter((one) => nameOf(one).startsWith(path));
  assert.deepEqual(new Set(own(after.ended)), new Set(own(before.series)));
  assert.equal(after.values[`${path} linux.cgroup.cpu.time user`], 4);
  assert.equal(
    own(after.series).some((series) => before.series.includes(series)),
    false,
  );
  rmSync(join(folder, 'system.slice'), { recursive: true });
  const last = await scan();
  assert.equal(
    Object.keys(last.values).some((name) => name.startsWith('/system.slice')),
    false,
  );
  const started = new Set([...before.series, ...after.series].filter((one) => !nameOf(one).startsWith('/ ')));
  assert.deepEqual(new Set([...after.ended, ...last.ended]), started);
});

test('CgroupScraper skips cgroups by filters and depth, but not their ancestors', async (t) => {
  const paths = async (settings: Readonly<Record<string, unknown>>) => {
    const { series } = await openMachine(t, unified, settings).scan();
    return [...new Set(series.map(({ resource }) => resource.attributes['linux.cgroup.path']))];
  };
  assert.deepEqual(await paths({ exclude: 'docker-' }), ['/', '/system.slice']);
  assert.deepEqual(await paths({ include: 'docker-' }), [path]);
  assert.deepEqual(await paths({ max_depth: 1 }), ['/', '/system.slice']);
});

test('CgroupScraper skips a file that it cannot parse with one warning, and reads the others', async (t) => {
  const bad = {
    ...unified,
    'system.slice/memory.current': 'nonsense\n',
    [`system.slice/docker-${container}.scope/memory.current`]: 'nonsense\n',
  };
  const { folder, scan, lines } = openMachine(t, bad, { details_interval: '1s' });
  const { values } = await scan();
  assert.equal('/system.slice linux.cgroup.memory.usage' in values, false);
  assert.equal('/system.slice linux.cgroup.memory.working_set' in values, false);
  assert.equal(values['/system.slice linux.cgroup.memory.rss'], 2700);
  await scan();
  assert.deepEqual(lines, [
    `warn: Cannot read ${folder}/system.slice/memory.current: its text is not what was expected; it is left out until it can be read, as are the same files of other cgroups`,
  ]);
  write(folder, unified);
  assert.equal((await scan()).values['/system.slice linux.cgroup.memory.working_set'], 8100);
});

test('CgroupScraper leaves a gap while a file cannot be read', async (t) => {
  const { folder, scan } = openMachine(t, unified);
  const name = '/system.slice linux.cgroup.cpu.time user';
  const before = await scan();
  write(folder, { 'system.slice/cpu.stat': '' });
  assert.equal((await scan()).values[name], NaN);
  write(folder, { 'system.slice/cpu.stat': 'user_usec 19000000\nsystem_usec 9000000\n' });
  const after = await scan();
  assert.equal(after.values[name], 1);
  assert.equal(startOf(after, name), startOf(before, name));
});

const kinds = (values: Readonly<Record<string, number>>, at: string) =>
  Object.entries(below(values, at)).filter(([name]) => name.startsWith('linux.cgroup.memory.kind'));

test('CgroupScraper reads memory by kind if configured', async (t) => {
  const metrics = { memory_details: true };
  const more = 'kernel_stack 16384\nslab_reclaimable 50\npswpin 8\npswpout 9\n';
  const { scan } = openMachine(t, { ...unified, 'system.slice/memory.stat': `anon 1\n${more}` }, { metrics });
  const { values } = await scan();
  assert.deepEqual(kinds(values, '/system.slice'), [
    ['linux.cgroup.memory.kind.usage kernel_stack', 16384],
    ['linux.cgroup.memory.kind.usage slab_reclaimable', 50],
  ]);
  assert.equal(values['/system.slice linux.cgroup.paging.operations out'], 0);
  const stat = { [`memory/docker/${container}/memory.stat`]: 'mapped_file 1\ntotal_mapped_file 70\n' };
  const ofFirst = await openMachine(t, { ...first, ...stat }, { metrics }).scan();
  assert.deepEqual(kinds(ofFirst.values, `/docker/${container}`), [
    ['linux.cgroup.memory.kind.usage file_mapped', 70],
  ]);
});

test('CgroupScraper has a limit only while one is set', async (t) => {
  const { folder, scan } = openMachine(t, unified, { details_interval: '1s' });
  const name = '/system.slice linux.cgroup.memory.limit';
  assert.equal((await scan()).values[name], undefined);
  write(folder, { 'system.slice/memory.max': '123\n' });
  assert.equal((await scan()).values[name], 123);
  write(folder, { 'system.slice/memory.max': 'max\n' });
  const { values, ended } = await scan();
  assert.equal(values[name], undefined);
  assert.deepEqual(ended.map(nameOf), [name]);
});

test('CgroupScraper finds the files of a controller that is enabled later', async (t) => {
  // Longer than the interval of thorough scans.
  const { folder, scan } = openMachine(t, unified, { collection_interval: '2m' });
  await scan();
  write(folder, { 'memory.current': '77\n' });
  assert.equal((await scan()).values['/ linux.cgroup.memory.usage'], 77);
});

test('CgroupScraper keeps the array of series while they are the same', async (t) => {
  const { scan } = openMachine(t, unified, { collection_interval: '2m', details_interval: '2m' });
  const { tables: before } = await scan();
  const { tables: after } = await scan();
  assert.equal(before.length, 2);
  assert.ok(before.every(({ series }, i) => series === after[i]?.series));
});

test('CgroupScraper reads details in turn, but all of them in the first scan', async (t) => {
  const { scan } = openMachine(t, unified, { details_interval: '3s' });
  const seen: boolean[] = [];
  for (let i = 0; i < 7; i++) seen.push('/system.slice linux.cgroup.memory.usage' in (await scan()).values);
  assert.deepEqual(seen, [true, false, true, false, false, true, false]);
});

test('CgroupScraper ends every series and starts new ones when the clock was stepped', async (t) => {
  const { folder, scan } = openMachine(t, unified);
  const before = await scan(0);
  write(folder, { 'system.slice/cpu.stat': 'user_usec 50000000\nsystem_usec 9000000\n' });
  const after = await scan(1);
  assert.deepEqual(new Set(after.ended), new Set(before.series));
  assert.equal(after.values['/system.slice linux.cgroup.cpu.time user'], 0);
});
