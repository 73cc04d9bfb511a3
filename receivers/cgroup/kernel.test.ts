import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFakeContext, createLogCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { listOpenMaps } from '../../src/linux/bpf/open-maps.fixture.js';
import {
  enterCgroup,
  makeCgroup,
  realHierarchies,
  removeCgroup,
} from '../../src/linux/cgroup/real-cgroups.fixture.js';
import type { Series } from '../../src/model/series.js';
import { readHeapBytes } from '../../src/testing/allocation.fixture.js';
import { CgroupScraper } from './cgroup-scraper.js';
import { schema } from './config.js';
import { nameOf, scan } from './fake-cgroups.fixture.js';
import { openUsage } from './real-usage.fixture.js';
import type { UnifiedUsage } from './unified-usage.js';

/** A scraper of the cgroups of this machine at and below a path. */
function openScraper(t: TestContext, path: string, settings: object = {}, usage?: UnifiedUsage) {
  const log = createLogCollector();
  const config = parseSettings(schema, { include: `^${path}`, details_interval: '1s', ...settings });
  const scraper = new CgroupScraper(config, {
    ...createFakeContext({ log }),
    hierarchies: realHierarchies,
    usage,
  });
  t.after(() => scraper.close());
  return { lines: log.lines, scan: (breaks = 0) => scan(scraper, breaks) };
}

/** A shell that burns CPU time for each line it is sent, and then reports its CPU time. */
function startShell(t: TestContext): ChildProcess & { readonly pid: number } {
  const loop = 'i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done; times; read end';
  const child = spawn('sh', ['-c', `read begin; ${loop}`], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  assert.ok(child.pid);
  return Object.assign(child, { pid: child.pid });
}

/** Makes a shell burn CPU time. @returns its CPU seconds, in ticks of 10 ms */
async function burn(shell: ChildProcess): Promise<number> {
  shell.stdin?.write('begin\n');
  const [output] = (await once(shell.stdout ?? shell, 'data')) as [Buffer]; // The first line of `times`.
  const [, user = '', system = ''] = /0m([\d.]+)s 0m([\d.]+)s/u.exec(String(output)) ?? [];
  return Number(user) + Number(system);
}

/** CPU seconds of a cgroup according to the kernel. */
function readCpuSeconds(folder: string): number {
  const files = new Set(readdirSync(folder));
  if (files.has('cpuacct.usage')) return Number(readFileSync(join(folder, 'cpuacct.usage'), 'utf8')) / 1e9;
  const [, us] = /usage_usec (\d+)/u.exec(readFileSync(join(folder, 'cpu.stat'), 'utf8')) ?? [];
  return Number(us) / 1e6;
}

const cpuSecondsOf = (values: Readonly<Record<string, number>>, path: string) =>
  ['user', 'system'].reduce((sum, mode) => sum + (values[`${path} linux.cgroup.cpu.time ${mode}`] ?? NaN), 0);

/** 150 bytes for each of the 3,300 cgroups that were scanned. */
const maxGrownBytes = 500_000;

const ways = [
  { which: 2, source: 'files' },
  { which: 2, source: 'eBPF' },
  { which: 'cpuacct', source: 'files' },
] as const;

for (const { which, source } of ways) {
  /** Opens a scraper of a new cgroup. @returns a text if there is none: the reason */
  const open = async (t: TestContext, pathOf = (path: string) => path) => {
    const group = makeCgroup(t, which);
    if (typeof group === 'string') return group;
    const usage = source === 'eBPF' ? await openUsage() : undefined;
    if (typeof usage === 'string') return usage;
    return { group, ...openScraper(t, pathOf(group.path), {}, usage) };
  };

  test(`CgroupScraper has the same CPU time of a child as the kernel and the child (${which}, ${source})`, async (t) => {
    const opened = await open(t);
    if (typeof opened === 'string') return t.skip(opened);
    const { group, scan: next } = opened;
    const shell = startShell(t);
    await next();
    mkdirSync(join(group.folder, 'child'));
    enterCgroup(join(group.folder, 'child'), shell.pid);
    const before = readCpuSeconds(group.folder);
    const burntS = await burn(shell);
    shell.kill('SIGKILL');
    await once(shell, 'exit');
    const { values, series } = await next();
    const child = cpuSecondsOf(values, `${group.path}/child`);
    // The CPU time of ended processes is exact; user and system are truncated to microseconds.
    assert.ok(Math.abs(child - readCpuSeconds(join(group.folder, 'child'))) < 3e-6);
    assert.ok(Math.abs(cpuSecondsOf(values, group.path) - (readCpuSeconds(group.folder) - before)) < 3e-3);
    assert.ok(
      Math.abs(child - burntS) < 0.05 + 0.05 * burntS,
      `expected about ${burntS} s, found ${child} s`,
    );
    const user = values[`${group.path}/child linux.cgroup.cpu.time user`] ?? NaN;
    assert.ok(user > 0 && user <= child);
    assert.equal(new Set(series.map(nameOf)).size, series.length);
  });

  test(`CgroupScraper keeps no series, descriptor, map entry or memory of 10,000 removed cgroups (${which}, ${source})`, async (t) => {
    const opened = await open(t, (path) => `${path}/`);
    if (typeof opened === 'string') return t.skip(opened);
    const { group, scan: next, lines } = opened;
    const live = new Set<Series>();
    let most = 0;
    const take = async () => {
      const { series, ended } = await next();
      for (const one of series) live.add(one);
      most = Math.max(most, live.size);
      for (const one of ended) live.delete(one);
    };
    /** Makes and removes 100 cgroups in each round; a third of them is scanned. */
    const churn = async (from: number, rounds: number) => {
      for (let round = from; round < from + rounds; round++) {
        const names = Array.from({ length: 100 }, (_, i) => join(group.folder, `g${round}-${i}`));
        for (const name of names) mkdirSync(name);
        if (round % 3 === 0) await take();
        for (const name of names) rmdirSync(name);
      }
      await take();
      return { fds: readdirSync('/proc/self/fd').length, maps: listOpenMaps('self'), bytes: readHeapBytes() };
    };
    // Until caches have the size that they keep, and code is compiled.
    const before = await churn(0, 30);
    const after = await churn(30, 100);
    assert.ok(most >= 200);
    assert.deepEqual([live.size, lines], [0, []]);
    assert.deepEqual([after.fds, after.maps], [before.fds, before.maps]);
    const grown = after.bytes - before.bytes;
    t.diagnostic(`${grown} bytes`);
    assert.ok(grown < maxGrownBytes, `${grown} bytes`);
  });

  test(`CgroupScraper detects that a cgroup was removed and created again (${which}, ${source})`, async (t) => {
    const opened = await open(t, (path) => `${path}/again`);
    if (typeof opened === 'string') return t.skip(opened);
    const { group, scan: next } = opened;
    const folder = join(group.folder, 'again');
    mkdirSync(folder);
    const shell = startShell(t);
    enterCgroup(folder, shell.pid);
    await burn(shell);
    const first = await next();
    assert.equal(cpuSecondsOf(first.values, `${group.path}/again`), 0);
    shell.kill('SIGKILL');
    await once(shell, 'exit');
    rmdirSync(folder);
    mkdirSync(folder);
    const second = await next();
    assert.deepEqual(new Set(second.ended), new Set(first.series));
    assert.equal(cpuSecondsOf(second.values, `${group.path}/again`), 0);
    assert.ok(second.series.every((series) => !first.series.includes(series)));
    rmdirSync(folder);
    assert.deepEqual(new Set((await next()).ended), new Set(second.series));
  });

  test(`CgroupScraper counts from 0 after a break, even if nothing ran since (${which}, ${source})`, async (t) => {
    const opened = await open(t);
    if (typeof opened === 'string') return t.skip(opened);
    const { group, scan: next } = opened;
    const shell = startShell(t);
    enterCgroup(group.folder, shell.pid);
    await next();
    await burn(shell);
    shell.kill('SIGKILL');
    await once(shell, 'exit');
    const before = await next();
    assert.ok(cpuSecondsOf(before.values, group.path) > 0);
    const later = [await next(1), await next(1)];
    assert.deepEqual(
      later.map(({ values }) => cpuSecondsOf(values, group.path)),
      [0, 0],
    );
    const startS = readCpuSeconds(group.folder);
    const second = startShell(t);
    enterCgroup(group.folder, second.pid);
    await burn(second);
    second.kill('SIGKILL');
    await once(second, 'exit');
    const grownS = readCpuSeconds(group.folder) - startS;
    const foundS = cpuSecondsOf((await next(1)).values, group.path);
    assert.ok(Math.abs(foundS - grownS) < 3e-3, `expected ${grownS} s, found ${foundS} s`);
  });
}

test('CgroupScraper has the same memory as the kernel, and its limit', async (t) => {
  const group = makeCgroup(t, 'memory');
  if (typeof group === 'string') return t.skip(group);
  writeFileSync(join(group.folder, 'memory.limit_in_bytes'), String(2 ** 28));
  const { scan: next } = openScraper(t, group.path);
  const shell = startShell(t);
  enterCgroup(group.folder, shell.pid);
  await burn(shell);
  const { values } = await next();
  const bytes = Number(readFileSync(join(group.folder, 'memory.usage_in_bytes'), 'utf8'));
  assert.equal(values[`${group.path} linux.cgroup.memory.usage`], bytes);
  assert.equal(values[`${group.path} linux.cgroup.memory.limit`], 2 ** 28);
  const workingSet = values[`${group.path} linux.cgroup.memory.working_set`] ?? NaN;
  assert.ok(workingSet > 0 && workingSet <= bytes);
});

test('CgroupScraper publishes the pressure of a version 2 cgroup', async (t) => {
  const group = makeCgroup(t, 2);
  if (typeof group === 'string') return t.skip(group);
  if (!readdirSync(group.folder).includes('cpu.pressure'))
    return t.skip('this kernel has no pressure of cgroups');
  const { scan: next } = openScraper(t, group.path, { metrics: { pressure: true } });
  const { values } = await next();
  assert.equal(values[`${group.path} linux.cgroup.pressure.time cpu some`], 0);
  const children = [startShell(t), startShell(t), startShell(t), startShell(t)];
  for (const { pid } of children) enterCgroup(group.folder, pid);
  await Promise.all(children.map(burn));
  const after = (await next()).values[`${group.path} linux.cgroup.pressure.time cpu some`] ?? NaN;
  const [, total] =
    /some .*total=(\d+)/u.exec(readFileSync(join(group.folder, 'cpu.pressure'), 'utf8')) ?? [];
  assert.ok(after > 0 && after <= Number(total) / 1e6);
});

test('CgroupScraper ends the series of a cgroup that is removed after it was found and before it is read', async (t) => {
  const group = makeCgroup(t, 2);
  if (typeof group === 'string') return t.skip(group);
  mkdirSync(join(group.folder, 'short'));
  const log = createLogCollector();
  const config = parseSettings(schema, { include: `^${group.path}/` });
  const scraper = new CgroupScraper(config, { ...createFakeContext({ log }), hierarchies: realHierarchies });
  t.after(() => scraper.close());
  const first = await scan(scraper, 0);
  const reading = await scraper.scrape(0);
  removeCgroup(join(group.folder, 'short'));
  const tables = [...reading].filter((table) => table !== undefined);
  assert.deepEqual(new Set(tables.flatMap(({ ended }) => ended ?? [])), new Set(first.series));
  assert.deepEqual(
    tables.flatMap(({ series }) => series),
    [],
  );
  assert.deepEqual([(await scan(scraper, 0)).tables, log.lines], [[], []]);
});
