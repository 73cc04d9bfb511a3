import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { createFakeContext, createTableCollector } from '../../src/contract/fakes.js';
import type { Table } from '../../src/model/table.js';
import { readBootTimeNs } from '../../src/linux/cpu-clock.js';
import { schema } from './config.js';
import { findCpuTimeSource } from './cpu-time-source.js';
import { factory } from './factory.js';
import { ProcessScraper } from './process-scraper.js';

test('ProcessScraper agrees with getrusage within 2 %, for a child that burns CPU time', async (t) => {
  const scraper = openScraper(t);
  const child = startBurner(t, 500);
  await once(child.stdout, 'data');
  const before = secondsOf(scraper, child);
  child.stdin.write('burn\n');
  const [burnt] = await readNumbers(child);
  const seconds = secondsOf(scraper, child) - before;
  const usedSeconds = (burnt ?? 0) / 1e6;
  assert.ok(Math.abs(seconds - usedSeconds) < 0.02 * usedSeconds, `${seconds} ${usedSeconds}`);
});

test('ProcessScraper charges a child born between two scans with all that it used', async (t) => {
  const scraper = openScraper(t);
  scan(scraper);
  const child = startBurner(t, 100);
  await once(child.stdout, 'data');
  child.stdin.write('burn\n');
  const [, whole] = await readNumbers(child);
  const seconds = secondsOf(scraper, child);
  const wholeSeconds = (whole ?? 0) / 1e6;
  assert.ok(Math.abs(seconds - wholeSeconds) < 0.02 * wholeSeconds, `${seconds} ${wholeSeconds}`);
});

test('ProcessScraper sees no more CPU time in processes than the machine was busy', async (t) => {
  const scraper = openScraper(t);
  const first = scan(scraper);
  const child = startBurner(t, 300);
  await once(child.stdout, 'data');
  child.stdin.write('burn\n');
  await once(child.stdout, 'data');
  const last = scan(scraper);
  const busySeconds = sumOf(last, 'system.cpu.busy.time') - sumOf(first, 'system.cpu.busy.time');
  const usedSeconds = sumOf(last, 'process.cpu.time') - sumOf(first, 'process.cpu.time');
  assert.ok(usedSeconds >= 0.3, `${usedSeconds}`);
  // Idle, iowait and steal are rounded to 10 ms each, at both ends.
  assert.ok(usedSeconds <= busySeconds + 0.06, `${usedSeconds} ${busySeconds}`);
});

test('factory makes a receiver that scrapes, ends with a last scan and may be shut down twice', async () => {
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
  const { clock, log, host } = createFakeContext();
  const cpuTime = findCpuTimeSource('/proc');
  const scraper = new ProcessScraper(parseSettings(schema, {}), {
    clock,
    log,
    host,
    cpuTime,
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
 * Starts a child that prints a line when it is ready, and for each line that it reads burns so much CPU time and
 * prints how many microseconds it used for that, and how many in all.
 */
function startBurner(t: TestContext, ms: number): Burner {
  const script = `const used = () => { const { user, system } = process.cpuUsage(); return user + system; };
    process.stdin.on('data', () => {
      const before = used();
      while (used() - before < ${ms} * 1000);
      console.log(used() - before, used());
    });
    console.log('ready');`;
  const child = spawn(process.execPath, ['--eval', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  return child;
}

async function readNumbers(child: Burner): Promise<number[]> {
  const [line] = await once(child.stdout, 'data');
  return String(line).split(' ').map(Number);
}

function scan(scraper: ProcessScraper): readonly Table[] {
  return [...scraper.scrape(0)];
}

function secondsOf(scraper: ProcessScraper, child: ChildProcess): number {
  return sumOf(scan(scraper), 'process.cpu.time', child.pid);
}

/** Adds up the values of a metric, of one process or all. */
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
