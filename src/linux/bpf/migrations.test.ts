import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeError } from '../../errors.js';
import { skipFor } from '../../testing/needs.fixture.js';
import { until } from '../../testing/until.js';
import { readBootTimeNs } from '../clocks.js';
import { CpuPackages } from '../cpu-packages.js';
import { createPackageSysfs } from '../two-packages.fixture.js';
import type { BriefProcess } from './accounted-process.js';
import { startTogether } from './births.fixture.js';
import { CpuAccounting } from './cpu-accounting.js';
import { Migrations } from './migrations.js';
import { listOpenMaps } from './open-maps.fixture.js';
import { withKernelTypes } from './recorded-types.js';

// On the real kernel, with the first CPU as one package and the second as another.
const packages = CpuPackages.find(createPackageSysfs([0, 1]));
const cannotOpen = await CpuAccounting.open(false, packages).then(
  (accounting) => {
    accounting.close();
    return false;
  },
  (error: unknown) => skipFor(describeError(error)),
);
const canPin = spawnSync('taskset', ['-c', '1', 'true']).status === 0;
const skip = cannotOpen || (!canPin && 'needs taskset and two CPUs');

async function open(t: TestContext): Promise<CpuAccounting> {
  const accounting = await CpuAccounting.open(false, packages);
  t.after(() => accounting.close());
  update(accounting);
  return accounting;
}

function update(accounting: CpuAccounting, take: (process: BriefProcess) => void = () => {}): void {
  accounting.update(Number(readBootTimeNs()), take);
}

/** CPU time of a process on each package, and in total, in milliseconds. */
function readMs(accounting: CpuAccounting, { pid = 0 }: ChildProcess) {
  update(accounting);
  const { seconds = NaN, nanoseconds = NaN } = accounting.find(pid) ?? {};
  const byPackage = new Float64Array(2);
  accounting.find(pid)?.copyPackages(byPackage);
  return { all: seconds * 1e3 + nanoseconds / 1e6, byPackage: [...byPackage].map((ns) => ns / 1e6) };
}

/**
 * Starts a child on a CPU that burns CPU time on request, and reports its total usage. `elsewhereMs` is a bound of what
 * it used on other CPUs before.
 */
async function startBurner(t: TestContext, cpus: string) {
  const script = `const used = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e3; };
    process.stdin.on('data', (line) => { for (const end = used() + Number(line); used() < end; ); console.log(String(used())); });
    console.log(process.argv[1]);`;
  const pinned = `taskset -pc ${cpus} $$ > /dev/null; own=$(cat /proc/$$/schedstat); exec "$0" -e "$1" "$own"`;
  const child = spawn('sh', ['-c', pinned, process.execPath, script], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [schedstat] = (await once(child.stdout, 'data')) as [Buffer];
  const elsewhereMs = Number.parseFloat(schedstat.toString()) / 1e6;
  const burn = async (ms: number) => {
    child.stdin.write(`${ms}\n`);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    return Number(line);
  };
  return { child, burn, elsewhereMs };
}

/**
 * CPU time of a process according to the schedstat of its threads, once it sleeps: it still runs for a moment
 * to answer, longer on a busy machine.
 */
async function readRestingMs({ pid }: ChildProcess): Promise<number> {
  const read = () => {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.reduce(
      (ns, tid) => ns + Number.parseFloat(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8')),
      0,
    );
  };
  let [before, now] = [NaN, read()];
  while (before !== now) {
    await sleep(20);
    [before, now] = [now, read()];
  }
  return now / 1e6;
}

function move({ pid }: ChildProcess, cpus: string): void {
  assert.equal(spawnSync('taskset', ['-apc', cpus, String(pid)]).status, 0);
}

/** Within 2 %, plus the other usage of the process meanwhile: it is queried before and after. */
function assertNear(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= 0.02 * expected + 3, `${actual} ms, expected ${expected} ms`);
}

test(
  'CpuAccounting knows on which package a process runs, in agreement with getrusage',
  { skip },
  async (t) => {
    const accounting = await open(t);
    const burners = await Promise.all(['0', '1'].map((cpu) => startBurner(t, cpu)));
    const used = await Promise.all(burners.map(({ burn }) => burn(200)));
    for (const [i, { child, elsewhereMs }] of burners.entries()) {
      const { all, byPackage } = readMs(accounting, child);
      const rest = byPackage[1 - i] ?? NaN;
      assert.ok(rest <= elsewhereMs, `${rest} ms, expected at most ${elsewhereMs} ms`);
      assertNear(byPackage[i] ?? NaN, (used[i] ?? NaN) - rest);
      assertNear(all, (byPackage[0] ?? NaN) + (byPackage[1] ?? NaN));
    }
  },
);

test('CpuAccounting splits the CPU time of a process that moves', { skip }, async (t) => {
  const accounting = await open(t);
  const { child, burn } = await startBurner(t, '0');
  const used = [await readRestingMs(child)];
  const begin = readMs(accounting, child).byPackage;
  for (const cpu of ['1', '0', '1', '0', '1']) {
    await burn(30);
    used.push(await readRestingMs(child));
    move(child, cpu);
  }
  await burn(100);
  used.push(await readRestingMs(child));
  const end = readMs(accounting, child).byPackage;
  const grown = end.map((ms, i) => ms - (begin[i] ?? NaN));
  const steps = used.slice(1).map((ms, i) => ms - (used[i] ?? NaN));
  const sum = (parity: number) => steps.reduce((ms, own, i) => ms + (i % 2 === parity ? own : 0), 0);
  assertNear(grown[0] ?? NaN, sum(0));
  assertNear(grown[1] ?? NaN, sum(1));
});

test('CpuAccounting keeps the CPU time per package of ended threads', { skip }, async (t) => {
  const accounting = await open(t);
  const script = `const { Worker } = require('node:worker_threads');
    const work = 'for (const end = performance.now() + 300; performance.now() < end; );';
    let left = 3;
    for (let i = 0; i < 3; i++) new Worker(work, { eval: true }).on('exit', () => {
      left -= 1;
      if (left === 0) console.log('done');
    });
    setInterval(() => {}, 1000);`;
  const child = spawn('taskset', ['-c', '1', process.execPath, '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  readMs(accounting, child);
  await once(child.stdout, 'data');
  // The kernel reports the end of a thread after a grace period.
  for (let tries = 0; tries < 200; tries++) {
    const { all, byPackage } = readMs(accounting, child);
    const [first = NaN, second = NaN] = byPackage;
    if (Math.abs(first + second - all) < 1) return assert.ok(second > 0.8 * all, `${second} of ${all} ms`);
    await new Promise((resolve) => void setTimeout(resolve, 20));
  }
  assert.fail('what the threads ran is missing');
});

test('CpuAccounting reports the package of a process that ended before it was seen', { skip }, async (t) => {
  const accounting = await open(t);
  const found: { cpuTimeNs: number; packageNs: number[] }[] = [];
  const { pid } = spawnSync('taskset', ['-c', '1', process.execPath, '-e', '0']);
  for (let tries = 0; tries < 200 && found.length === 0; tries++) {
    update(accounting, (brief) => {
      if (brief.pid === pid) found.push({ cpuTimeNs: brief.cpuTimeNs, packageNs: [...brief.packageNs] });
    });
    await new Promise((resolve) => void setTimeout(resolve, 20));
  }
  const [brief] = found;
  const [first = NaN, second = NaN] = brief?.packageNs ?? [];
  assert.ok(second > first && first + second <= 1.001 * (brief?.cpuTimeNs ?? 0), JSON.stringify(brief));
});

function countEntries(): number {
  return listOpenMaps('self').reduce((sum, { entries = 0 }) => sum + entries, 0);
}

test('Migrations keeps no entry of a thread that has ended', { skip }, async (t) => {
  const accounting = await open(t);
  const births = 300;
  const { end } = startTogether(t, births, 'taskset -c 0 taskset -c 1 sleep 600');
  let most = 0;
  await until(() => {
    most = countEntries();
    return most >= births;
  });
  await end();
  // The kernel reports an end only after a grace period. Other processes move meanwhile.
  await until(() => {
    update(accounting);
    return countEntries() <= most - births / 2;
  });
});

test('Migrations counts moves for which its map has no room', { skip }, async (t) => {
  assert.ok(packages);
  // The kernel gives a hash map some extra entries, one per CPU.
  const migrations = await withKernelTypes((types) => Migrations.open(types, packages, 1));
  t.after(() => migrations.close());
  // Other processes of a busy machine move, too.
  const before = migrations.lost;
  const burners = await Promise.all(Array.from({ length: 8 }, () => startBurner(t, '0')));
  for (const cpus of ['1', '0', '1']) for (const { child } of burners) move(child, cpus);
  assert.ok(migrations.lost > before);
  migrations.close();
  assert.ok(migrations.lost > before);
});
