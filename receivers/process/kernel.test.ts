import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { test, type TestContext } from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { describeError } from '../../src/errors.js';
import { readBootTimeNs, readTickNs } from '../../src/linux/clocks.js';
import { parseCpuTimes } from '../../src/linux/procfs.js';
import { createPackageSysfs } from '../../src/linux/two-packages.fixture.js';
import type { Table } from '../../src/model/table.js';
import { skipFor } from '../../src/testing/needs.fixture.js';
import { until } from '../../src/testing/until.js';
import { chooseCpuTimeSource, findCpuClocks } from './choose-cpu-time-source.js';
import { schema } from './config.js';
import { factory } from './factory.js';
import { ProcessScraper } from './process-scraper.js';

test('ProcessScraper agrees with getrusage within 2 % for a child that burns CPU time', async (t) => {
  const scraper = openScraper(t);
  const child = await startBurner(t);
  const used = [await ask(child, 0)];
  const before = secondsOf(scraper, child);
  used.push(await ask(child, 0), await ask(child, 500));
  const seconds = secondsOf(scraper, child) - before;
  used.push(await ask(child, 0));
  const [first = 0, second = 0, third = 0, fourth = 0] = used;
  // The CPU time of the child is at least that of the inner interval, and at most that of the outer one.
  assertBetween(seconds, third - second, fourth - first);
});

test('ProcessScraper charges a child started between two scans with all its CPU time', async (t) => {
  const scraper = openScraper(t);
  scan(scraper);
  const child = await startBurner(t);
  const least = await ask(child, 100);
  const seconds = secondsOf(scraper, child);
  assertBetween(seconds, least, await ask(child, 0));
});

test('ProcessScraper sees no more CPU time in processes than the busy time of the machine', async (t) => {
  const scraper = openScraper(t);
  const child = await startBurner(t);
  const first = scanTimed(scraper);
  await ask(child, 300);
  const last = scanTimed(scraper);
  const busySeconds =
    sumOf(last.tables, 'system.cpu.busy.time') - sumOf(first.tables, 'system.cpu.busy.time');
  const usedSeconds = sumOf(last.tables, 'process.cpu.time') - sumOf(first.tables, 'process.cpu.time');
  assert.ok(usedSeconds >= 0.3, `${usedSeconds}`);
  // Idle, iowait and steal are rounded to 10 ms each, at both ends. Processes continue to run while they are
  // scanned, and some kernels charge them with the time stolen by the hypervisor.
  const scanSeconds =
    cpus().length * (first.seconds + last.seconds) + (last.stealSeconds - first.stealSeconds);
  assert.ok(usedSeconds <= busySeconds + 0.06 + scanSeconds, `${usedSeconds} ${busySeconds} ${scanSeconds}`);
});

test('factory creates a receiver that scrapes, ends with a last scan and may be shut down twice', async () => {
  const next = createTableCollector();
  const config = parseSettings(factory.schema, { collection_interval: '1h' });
  const receiver = factory.create(config, createFakeContext(), next);
  await receiver.shutdown();
  const again = factory.create(config, createFakeContext(), next);
  await again.start();
  await again.shutdown();
  await again.shutdown();
  assert.ok(
    next
      .last('process.cpu.time')
      .some(({ series }) => series.resource.attributes['process.pid'] === process.pid),
  );
  assert.equal(next.last('system.cpu.busy.time').length, 1);
});

function openScraper(t: TestContext): ProcessScraper {
  const { clock, log, host, id, meter } = createFakeContext();
  const cpuTime = findCpuClocks('/proc');
  const scraper = new ProcessScraper(parseSettings(schema, {}), {
    clock,
    log,
    host,
    id,
    meter,
    cpuTime,
    tickNs: readTickNs(),
    readBootNs: readBootTimeNs,
  });
  t.after(() => scraper.close());
  return scraper;
}

interface Burner extends ChildProcess {
  readonly stdin: NonNullable<ChildProcess['stdin']>;
  readonly stdout: NonNullable<ChildProcess['stdout']>;
}

/**
 * Starts a child that reads lines with a number of milliseconds, burns this much CPU time and prints its total
 * CPU time in microseconds.
 */
async function startBurner(t: TestContext): Promise<Burner> {
  const script = `const used = () => { const { user, system } = process.cpuUsage(); return user + system; };
    process.stdin.on('data', (line) => {
      const before = used();
      while (used() - before < Number(line) * 1000);
      console.log(String(used()));
    });
    console.log('ready');`;
  const child = spawn(process.execPath, ['--eval', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  await once(child.stdout, 'data');
  return child;
}

/** Makes a child burn CPU time. @returns its total CPU time in seconds */
async function ask(child: Burner, ms: number): Promise<number> {
  child.stdin.write(`${ms}\n`);
  const [line] = await once(child.stdout, 'data');
  return Number(line) / 1e6;
}

/** Within 2 %, because of rounding to ticks. */
function assertBetween(seconds: number, least: number, most: number): void {
  assert.ok(seconds >= 0.98 * least && seconds <= 1.02 * most, `${seconds}, wanted ${least} to ${most}`);
}

function scan(scraper: ProcessScraper): readonly Table[] {
  return [...scraper.scrape(0)].filter((table) => table !== undefined);
}

/** A scan with its duration, and the time stolen by the hypervisor since boot. */
function scanTimed(scraper: ProcessScraper) {
  const startMs = performance.now();
  const tables = scan(scraper);
  const seconds = (performance.now() - startMs) / 1000;
  const { steal } = parseCpuTimes(readFileSync('/proc/stat')).total;
  return { tables, seconds, stealSeconds: steal / 100 };
}

function secondsOf(scraper: ProcessScraper, child: ChildProcess): number {
  return sumOf(scan(scraper), 'process.cpu.time', child.pid);
}

/** The sum of the values of a metric, of one process or all. */
function sumOf(tables: readonly Table[], name: string, pid?: number): number {
  let sum = 0;
  for (const { series, values } of tables) {
    series.forEach(({ metric, resource }, column) => {
      if (metric.name !== name) return;
      if (pid === undefined || resource.attributes['process.pid'] === pid) sum += values[column] ?? 0;
    });
  }
  return sum;
}

// The first CPU counts as one package, and the second as another.
const canUseBpf = await chooseCpuTimeSource(parseSettings(schema, { cpu_time: 'ebpf' })).then(
  ({ source }) => {
    source?.close();
    return false as const;
  },
  (error: unknown) => skipFor(describeError(error)),
);
const canPin = spawnSync('taskset', ['-c', '1', 'true']).status === 0;

test(
  'the receiver publishes on which package each process ran if attribution needs it',
  { skip: canUseBpf || (!canPin && 'needs taskset and two CPUs') },
  async (t) => {
    for (const [isConsumed, expected] of [
      [true, 2],
      [false, 0],
    ] as const) {
      const next = createTableCollector();
      const sysfs = createPackageSysfs([0, 1]);
      const config = parseSettings(factory.schema, { collection_interval: '1h', sysfs });
      const context = { ...createFakeContext(), isConsumed: () => isConsumed };
      const receiver = factory.create(config, context, next);
      await receiver.start();
      await until(() => next.last('system.cpu.busy.time').length > 0);
      const child = await startBurner(t);
      assert.equal(spawnSync('taskset', ['-apc', '1', String(child.pid)]).status, 0);
      const before = await ask(child, 0);
      const used = await ask(child, 200);
      await receiver.shutdown();
      const own = next
        .last('process.cpu.package.time')
        .filter(({ series }) => series.resource.attributes['process.pid'] === child.pid);
      assert.equal(own.length, expected);
      if (expected === 0) continue;
      const [first = NaN, second = NaN] = own.map(({ value }) => value);
      assert.ok(first <= before, `${first} s before it was moved, it used ${before} s`);
      assertBetween(first + second, used, used + 0.02);
      assert.ok(second >= 0.98 * (used - before), `${second} s of ${used - before} s`);
      assert.equal(next.last('system.cpu.package.busy.time').length, 2);
    }
  },
);
