import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CpuClock } from '../src/linux/clocks.js';
import { compare, type Benchmark, type Result } from './benchmark.js';
import { findFloor, type Floor } from './floors.js';
import { startProcesses } from './processes.js';

/** V8 goes on compiling, on other threads, for some minutes after this. */
const warmUpMs = 60_000;
const seconds = 30;
const maxMegabytes = 90;
/** Where the default configuration serves its page. */
const page = 'http://localhost:9464/metrics';

/**
 * The agent with its default configuration, not scraped and then scraped once a second, against a loop in C that once
 * a second reads the CPU clock and the stat of every process. Both run at the same time, so that they share the state
 * of the machine.
 */
export const agent: Benchmark = {
  name: 'agent',
  async measure() {
    const floor = findFloor('process-scan');
    const processes = await startProcesses();
    const child = startAgent();
    try {
      await sleep(warmUpMs);
      const what = `Default agent, 1 Hz, ${processes.count} processes`;
      const unscraped = await compareWith(floor, child, what);
      const scraper = setInterval(() => void scrape(), 1000);
      await sleep(seconds * 1000);
      const scraped = await compareWith(floor, child, `${what}, scraped each second`);
      clearInterval(scraper);
      return [...unscraped, ...scraped];
    } finally {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      processes.end();
    }
  },
};

function startAgent(): ChildProcess {
  const main = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
  return spawn(process.execPath, [main, 'run'], { stdio: 'ignore' });
}

/** As Prometheus does. Where another program has the port, that one is scraped, and the figure is wrong. */
async function scrape(): Promise<void> {
  const headers = { accept: 'application/openmetrics-text;version=1.0.0', 'accept-encoding': 'gzip' };
  await (await fetch(page, { headers })).arrayBuffer();
}

async function compareWith(floor: Floor | undefined, child: ChildProcess, what: string): Promise<Result[]> {
  const before = readUsage(child);
  const [reference] = await Promise.all([runFloor(floor), sleep(seconds * 1000)]);
  const after = readUsage(child);
  const ours = (after.cpuMs - before.cpuMs) / seconds;
  const main = (after.mainMs - before.mainMs) / seconds;
  const memory = { ours: readResidentMegabytes(child), reference: maxMegabytes };
  return [
    compare(`${what}: CPU per second`, 'ms', { ours, reference }, 2.5),
    compare(`${what}: of which on the main thread`, 'ms', { ours: main, reference }),
    compare(`${what}: resident memory`, 'MB', memory, 1),
  ];
}

/** @returns CPU milliseconds per second */
async function runFloor(floor: Floor | undefined): Promise<number | undefined> {
  if (floor === undefined) return undefined;
  const [cpuUs] = await floor.run('1000000', String(seconds), 'all');
  return cpuUs / 1000;
}

/** CPU milliseconds since the start: of all threads, and of the main thread. */
function readUsage({ pid, exitCode }: ChildProcess): { readonly cpuMs: number; readonly mainMs: number } {
  const clock = new CpuClock();
  if (pid === undefined || exitCode !== null || !clock.read(pid)) {
    throw new Error(`Cannot measure the agent: it ended with exit code ${exitCode}`);
  }
  const [mainNs] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ').map(Number);
  return { cpuMs: clock.seconds * 1000 + clock.nanoseconds / 1e6, mainMs: mainNs / 1e6 };
}

function readResidentMegabytes({ pid }: ChildProcess): number {
  const kibibytes = /^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (Number(kibibytes) * 1024) / 1e6;
}
