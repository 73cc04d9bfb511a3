import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFakeContext, createLogCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { cgroupField, cgroupRecordWords } from '../../src/linux/bpf/cgroup-loop.js';
import { enterCgroup, makeCgroup, realHierarchies } from '../../src/linux/cgroup/real-cgroups.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { CgroupScraper } from './cgroup-scraper.js';
import { schema } from './config.js';
import { CpuStat } from './cpu-files.js';
import { scan } from './fake-cgroups.fixture.js';
import { openUsage } from './real-usage.fixture.js';
import type { SlotScope } from './slots.js';
import { UnifiedUsage } from './unified-usage.js';

/** A shell that burns CPU time for each line it is sent. */
function startShell(t: TestContext) {
  const loop = 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo done';
  const child = spawn('sh', ['-c', `while read line; do ${loop}; done`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  assert.ok(child.pid);
  const burn = async () => {
    child.stdin.write('burn\n');
    await once(child.stdout, 'data');
  };
  const end = async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return { pid: child.pid, burn, end };
}

const readUsage = (folder: string) =>
  Number(/usage_usec (\d+)/u.exec(readFileSync(join(folder, 'cpu.stat'), 'utf8'))?.[1]) / 1e6;

test('UnifiedUsage has the same values as the files, for nested cgroups, after moves, exits and idle times', async (t) => {
  const group = makeCgroup(t, 2);
  if (typeof group === 'string') return t.skip(group);
  const usage = await openUsage();
  if (typeof usage === 'string') return t.skip(usage);
  const config = parseSettings(schema, { include: `^${group.path}` });
  const context = { ...createFakeContext(), hierarchies: realHierarchies, usage };
  const scraper = new CgroupScraper(config, context);
  t.after(() => scraper.close());
  await scan(scraper, 0);
  const names = ['', '/upper', '/upper/lower', '/other'];
  for (const name of names.slice(1)) mkdirSync(group.folder + name);
  const totals = new Map<string, number>();
  const compare = async (what: string, grown: readonly string[]) => {
    const { values } = await scan(scraper, 0);
    for (const name of names) {
      const one = (mode: string): number =>
        values[`${group.path}${name} linux.cgroup.cpu.time ${mode}`] ?? NaN;
      const sum: number = one('user') + one('system');
      const expected = readUsage(group.folder + name);
      assert.ok(Math.abs(sum - expected) < 2e-6, `${what}: ${name} has ${sum}, the kernel ${expected}`);
      const before = totals.get(name) ?? 0;
      assert.equal(sum > before, grown.includes(name), `${what}: ${name} had ${before} and has ${sum}`);
      totals.set(name, sum);
    }
  };
  const shell = startShell(t);
  await compare('before', []);
  enterCgroup(`${group.folder}/upper/lower`, shell.pid);
  await shell.burn();
  // A sleeping process is included.
  await rest(shell.pid);
  await compare('in the lower one', ['', '/upper', '/upper/lower']);
  await compare('at rest', []);
  enterCgroup(`${group.folder}/other`, shell.pid);
  await shell.burn();
  await rest(shell.pid);
  await compare('in the other one', ['', '/other']);
  await compare('at rest again', []);
  enterCgroup(`${group.folder}/upper`, shell.pid);
  await shell.burn();
  await shell.end();
  await compare('ended', ['', '/upper']);
});

/** Waits until a process waits for its next line. */
async function rest(pid: number): Promise<void> {
  await until(() => readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') S '));
}

test('UnifiedUsage rejects a folder that is not a mounted hierarchy', async () => {
  const folder = createFolder();
  const fake = { version: 2, folder, root: '/', controllers: [] } as const;
  await assert.rejects(UnifiedUsage.open(fake), {
    message: `expected a mounted cgroup2 at ${folder}, found none`,
  });
});

test('UnifiedUsage has no pass, and states the reason, when the statistics of a cgroup cannot be flushed', async (t) => {
  const usage = await openUsage();
  if (typeof usage === 'string') return t.skip(usage);
  t.after(() => usage.close());
  usage.read(() => 7n);
  assert.equal(usage.atNs, 7n);
  const hierarchy = realHierarchies.find(({ version }) => version === 2);
  assert.ok(hierarchy);
  const folder = createFolder();
  mkdirSync(join(folder, 'cpu.stat'));
  const place = { hierarchy, path: '/x', folder, isBorn: false, firstSeenMs: 0, inode: 1, depth: 1 };
  usage.add(place);
  assert.throws(() => usage.read(() => 8n), { message: `Cannot read ${folder}/cpu.stat: EISDIR` });
  assert.equal(usage.atNs, undefined);
  usage.remove(place);
  usage.read(() => 9n);
  assert.equal(usage.atNs, 9n);
});

test('CgroupScraper reads the files, with one warning, while eBPF fails', async (t) => {
  const group = makeCgroup(t, 2);
  if (typeof group === 'string') return t.skip(group);
  const usage = await openUsage();
  if (typeof usage === 'string') return t.skip(usage);
  const log = createLogCollector();
  const config = parseSettings(schema, { include: `^${group.path}` });
  const context = { ...createFakeContext({ log }), hierarchies: realHierarchies, usage };
  const scraper = new CgroupScraper(config, context);
  t.after(() => scraper.close());
  await scan(scraper, 0);
  usage.close();
  const shell = startShell(t);
  enterCgroup(group.folder, shell.pid);
  await shell.burn();
  await shell.end();
  for (let i = 0; i < 2; i++) {
    const { values } = await scan(scraper, 0);
    const found = ['user', 'system'].map(
      (mode) => values[`${group.path} linux.cgroup.cpu.time ${mode}`] ?? NaN,
    );
    const [user = NaN, system = NaN] = found;
    assert.ok(Math.abs(user + system - readUsage(group.folder)) < 2e-6, found.join(' '));
  }
  assert.equal(log.lines.length, 1, log.lines.join('\n'));
  assert.match(log.lines[0] ?? '', /^warn: Cannot read cgroups by eBPF: .+; their files are read$/u);
});

interface Reading {
  readonly usage: number;
  readonly user: number;
  readonly system: number;
  readonly quota?: readonly [periods: number, throttledPeriods: number, throttledUs: number];
}

function openParser() {
  const parser = new CpuStat(false);
  const resource = { attributes: {} };
  const scope: SlotScope = { resource, nowNs: 5n, zeroAtNs: 1n, isChanged: false, ended: [] };
  const read = () => parser.slots.flatMap(({ values }) => [...values]);
  return {
    ended: scope.ended,
    end() {
      for (const slot of parser.slots) slot.end(scope);
      scope.zeroAtNs = undefined;
    },
    takeText({ usage, user, system }: Reading) {
      const text = `usage_usec ${usage}\nuser_usec ${user}\nsystem_usec ${system}\n`;
      assert.ok(parser.parse(Buffer.from(text), text.length, scope));
      return read();
    },
    takeRecord({ usage, user, system, quota = [0, 0, 0] }: Reading) {
      const words = new Uint32Array(2 * cgroupRecordWords);
      const at = cgroupRecordWords;
      const set = (field: number, value: number) => {
        words[at + field] = value % 2 ** 32;
        words[at + field + 1] = Math.floor(value / 2 ** 32);
      };
      set(cgroupField.usage, usage);
      set(cgroupField.user, user);
      set(cgroupField.system, system);
      set(cgroupField.throttled, quota[2]);
      words[at + cgroupField.periods] = quota[0];
      words[at + cgroupField.throttledPeriods] = quota[1];
      return { isNew: parser.takeRecord(words, at, scope), values: read() };
    },
  };
}

test('CpuStat continues a file with records, and records with a file: neither mode decreases', () => {
  const { takeText, takeRecord, ended } = openParser();
  assert.deepEqual(takeText({ usage: 1000, user: 700, system: 300 }), [7e-4, 3e-4]);
  assert.deepEqual(takeRecord({ usage: 1100, user: 1, system: 1 }).values, [7e-4, 4e-4]);
  assert.deepEqual(takeRecord({ usage: 3000, user: 1, system: 1 }).values, [15e-4, 15e-4]);
  assert.deepEqual(takeText({ usage: 3100, user: 3000, system: 100 }), [16e-4, 15e-4]);
  assert.deepEqual(ended, []);
});

test('CpuStat takes a record of more than 32 bits, and none that is unchanged', () => {
  const { takeRecord } = openParser();
  const reading = { usage: 2 ** 40, user: 3, system: 1 };
  const values = [(2 ** 40 * 0.75) / 1e6, (2 ** 40 * 0.25) / 1e6];
  assert.deepEqual(takeRecord(reading), { isNew: true, values });
  assert.deepEqual(takeRecord(reading), { isNew: false, values });
});

test('CpuStat takes throttling from a record while there is a quota', () => {
  const { takeRecord } = openParser();
  const quota = [20, 4, 2_500_000] as const;
  const { values } = takeRecord({ usage: 8, user: 1, system: 0, quota });
  assert.deepEqual(values, [8e-6, 0, 20, 4, 2.5]);
  // A cgroup can have waited without using CPU time.
  const later = takeRecord({ usage: 8, user: 1, system: 0, quota: [21, 5, 2_600_000] });
  assert.deepEqual(later, { isNew: true, values: [8e-6, 0, 21, 5, 2.6] });
});

test('CpuStat starts new series from an unchanged record after its series have ended', () => {
  const { takeRecord, end } = openParser();
  const reading = { usage: 1000, user: 1, system: 0 };
  assert.deepEqual(takeRecord(reading), { isNew: true, values: [1e-3, 0] });
  end();
  assert.deepEqual(takeRecord(reading), { isNew: true, values: [0, 0] });
  assert.deepEqual(takeRecord(reading), { isNew: false, values: [0, 0] });
  assert.deepEqual(takeRecord({ ...reading, usage: 1500 }), { isNew: true, values: [5e-4, 0] });
});
