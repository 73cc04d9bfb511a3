import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { enterCgroup, makeCgroup, realHierarchies } from '../../src/linux/cgroup/real-cgroups.fixture.js';
import { until } from '../../src/testing/until.js';
import { CgroupScraper } from './cgroup-scraper.js';
import { schema } from './config.js';
import { scan } from './fake-cgroups.fixture.js';
import { openUsage } from './real-usage.fixture.js';
import type { UnifiedUsage } from './unified-usage.js';

// Needs the controllers of version 2, which `test/vm` provides where the machine has those of version 1.

/** A new cgroup with the files of these controllers, and its values in a next scan. @returns why not, if so */
async function openChild(t: TestContext, controllers: readonly string[], usage?: UnifiedUsage) {
  const group = makeCgroup(t, 2);
  if (typeof group === 'string') return group;
  const available = readFileSync(join(group.folder, 'cgroup.controllers'), 'utf8').trim().split(' ');
  const missing = controllers.filter((name) => !available.includes(name));
  if (missing.length > 0) return `cgroup version 2 has no controller ${missing.join(', ')} here`;
  writeFileSync(
    join(group.folder, 'cgroup.subtree_control'),
    controllers.map((name) => `+${name}`).join(' '),
  );
  const settings = {
    include: `^${group.path}/`,
    details_interval: '1s',
    metrics: { memory_details: true, pressure: true },
  };
  const context = { ...createFakeContext(), hierarchies: realHierarchies, usage };
  const scraper = new CgroupScraper(parseSettings(schema, settings), context);
  t.after(() => scraper.close());
  await scan(scraper, 0);
  const folder = join(group.folder, 'child');
  mkdirSync(folder);
  const readAll = async () => {
    const { values } = await scan(scraper, 0);
    const start = `${group.path}/child linux.cgroup.`;
    const own = Object.entries(values).filter(([name]) => name.startsWith(start));
    return Object.fromEntries(own.map(([name, value]) => [name.slice(start.length), value]));
  };
  return { folder, readAll };
}

/** Runs a shell script in a cgroup, up to where it waits for a line. */
async function runIn(t: TestContext, folder: string, script: string): Promise<ChildProcess> {
  const child = spawn('sh', ['-c', `read begin; ${script}; echo done; read end`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  assert.ok(child.pid);
  enterCgroup(folder, child.pid);
  child.stdin.write('begin\n');
  await once(child.stdout, 'data');
  return child;
}

/** The numbers of a file with a name and a number per line. */
function readKeyed(folder: string, file: string): Readonly<Record<string, number>> {
  const lines = readFileSync(join(folder, file), 'utf8').trim().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(' ')).map(([key, n]) => [key, Number(n)]));
}

const readNumber = (folder: string, file: string): number => Number(readFileSync(join(folder, file), 'utf8'));

test('CgroupScraper has the memory and threads of a version 2 cgroup that its files show', async (t) => {
  const opened = await openChild(t, ['memory', 'pids']);
  if (typeof opened === 'string') return t.skip(opened);
  const { folder, readAll } = opened;
  writeFileSync(join(folder, 'memory.max'), String(2 ** 27));
  writeFileSync(join(folder, 'pids.max'), '77');
  // The kernel keeps up to 64 pages per CPU in advance of their use, so nothing may run between the readings.
  await runIn(
    t,
    folder,
    'v=$(head -c 3000000 /dev/zero | tr "\\0" x); i=0; while [ $i -lt 50 ]; do (:); i=$((i+1)); done',
  );
  // The kernel brings memory.stat up to date every 2 s, or when it is read after many changes.
  let [values, stat]: Readonly<Record<string, number>>[] = [{}, {}];
  await until(async () => {
    stat = readKeyed(folder, 'memory.stat');
    values = await readAll();
    return values['memory.rss'] === stat['anon'] && readKeyed(folder, 'memory.stat')['anon'] === stat['anon'];
  });
  assert.equal(values['memory.usage'], readNumber(folder, 'memory.current'));
  assert.equal(values['memory.limit'], 2 ** 27);
  assert.equal(values['memory.working_set'], (values['memory.usage'] ?? 0) - (stat['inactive_file'] ?? NaN));
  assert.equal(values['memory.file'], stat['file']);
  assert.ok((values['memory.rss'] ?? 0) >= 3_000_000, `found ${values['memory.rss']}`);
  assert.equal(values['paging.faults major'], stat['pgmajfault']);
  assert.equal((values['paging.faults minor'] ?? 0) + (values['paging.faults major'] ?? 0), stat['pgfault']);
  for (const kind of ['kernel_stack', 'pagetables', 'percpu', 'sock', 'shmem', 'file_mapped', 'file_dirty']) {
    assert.equal(values[`memory.kind.usage ${kind}`], stat[kind], kind);
  }
  assert.equal(values['pids.usage'], 1);
  assert.equal(values['pids.limit'], 77);
});

test('CgroupScraper counts a process that a version 2 cgroup killed for lack of memory', async (t) => {
  const opened = await openChild(t, ['memory']);
  if (typeof opened === 'string') return t.skip(opened);
  const { folder, readAll } = opened;
  await readAll();
  writeFileSync(join(folder, 'memory.max'), String(2 ** 24));
  await runIn(t, folder, 'head -c 40000000 /dev/zero | tail > /dev/null');
  const events = readKeyed(folder, 'memory.events');
  assert.ok((events['oom_kill'] ?? 0) >= 1);
  const values = await readAll();
  assert.deepEqual(
    [values['memory.events oom'], values['memory.events oom_kill']],
    [events['oom'], events['oom_kill']],
  );
});

test('CgroupScraper has the bytes and operations of each device that io.stat of a version 2 cgroup shows', async (t) => {
  const opened = await openChild(t, ['io']);
  if (typeof opened === 'string') return t.skip(opened);
  const device = findDisk();
  if (device === undefined) return t.skip('this machine has no disk that can be read');
  const { folder, readAll } = opened;
  await readAll();
  const read = await runIn(t, folder, `dd if=/dev/${device} of=/dev/null iflag=direct bs=64k count=16`);
  read.kill('SIGKILL');
  await once(read, 'exit');
  const values = await readAll();
  const lines = readFileSync(join(folder, 'io.stat'), 'utf8').trim().split('\n');
  const shown = lines.filter((line) => line.includes('rbytes='));
  assert.ok(shown.length > 0);
  for (const line of shown) {
    const [numbers = '', ...pairs] = line.split(' ');
    const name = basename(readlinkSync(`/sys/dev/block/${numbers}`));
    const counts = Object.fromEntries(pairs.map((pair) => pair.split('='))) as Record<string, string>;
    const found = ['disk.io read', 'disk.io write', 'disk.operations read', 'disk.operations write'];
    assert.deepEqual(
      found.map((metric) => values[`${metric} ${name}`]),
      ['rbytes', 'wbytes', 'rios', 'wios'].map((key) => Number(counts[key])),
    );
  }
  assert.equal(values[`disk.io read ${device}`], 2 ** 20);
});

/** A disk of at least 1 MiB that can be read past the page cache. */
function findDisk(): string | undefined {
  return readdirSync('/sys/block').find((name) => {
    if (readNumber(`/sys/block/${name}`, 'size') < 2048) return false;
    try {
      execFileSync('dd', [`if=/dev/${name}`, 'of=/dev/null', 'iflag=direct', 'bs=64k', 'count=1'], {
        stdio: 'ignore',
      });
      return true;
    } catch {
      return false;
    }
  });
}

for (const source of ['files', 'eBPF'] as const) {
  test(`CgroupScraper has the throttling that cpu.stat of a version 2 cgroup shows (${source})`, async (t) => {
    const usage = source === 'eBPF' ? await openUsage() : undefined;
    if (typeof usage === 'string') return t.skip(usage);
    const opened = await openChild(t, ['cpu'], usage);
    if (typeof opened === 'string') return t.skip(opened);
    const { folder, readAll } = opened;
    writeFileSync(join(folder, 'cpu.max'), '20000 100000');
    const burn = 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done';
    const child = await runIn(t, folder, burn);
    child.kill('SIGKILL');
    await once(child, 'exit');
    // The period in which it ended has still to be counted.
    let stat = readKeyed(folder, 'cpu.stat');
    let values: Readonly<Record<string, number>> = {};
    await until(async () => {
      stat = readKeyed(folder, 'cpu.stat');
      values = await readAll();
      return readKeyed(folder, 'cpu.stat')['nr_periods'] === stat['nr_periods'];
    });
    assert.ok((stat['nr_throttled'] ?? 0) > 0, JSON.stringify(stat));
    assert.deepEqual(
      [values['cpu.periods'], values['cpu.throttled_periods'], values['cpu.throttled_time']],
      [stat['nr_periods'], stat['nr_throttled'], (stat['throttled_usec'] ?? NaN) / 1e6],
    );
    const used = (values['cpu.time user'] ?? NaN) + (values['cpu.time system'] ?? NaN);
    assert.ok(Math.abs(used - (stat['usage_usec'] ?? NaN) / 1e6) < 3e-6, `${used}, ${stat['usage_usec']}`);
  });
}
