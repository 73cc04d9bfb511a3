import { setTimeout as sleep } from 'node:timers/promises';
import { findMaxCpuRatio } from './agent-budget.js';
import { compare, type Benchmark, type Result } from './benchmark.js';
import { findFloor, type Floor } from './floors.js';
import { MeasuredAgent } from './measured-agent.js';
import { startProcesses } from './processes.js';

/** V8 continues to compile on other threads for some minutes after this. */
const warmUpMs = 60_000;
const seconds = 30;
const maxPrivateMegabytes = 25;

/**
 * The agent with its default configuration, first not scraped and then scraped once a second, against a loop in
 * C that reads the CPU clock and the stat file of every process once a second. Both run at the same time, so
 * that the state of the machine affects them equally.
 */
export const agent: Benchmark = {
  name: 'agent',
  async measure() {
    const budget = { floor: findFloor('process-scan'), maxRatio: await findMaxCpuRatio() };
    const processes = await startProcesses();
    const measured = new MeasuredAgent();
    try {
      await sleep(warmUpMs);
      const what = `Default agent, 1 Hz, ${processes.count} processes`;
      const unscraped = await compareWith(budget, measured, what);
      const scraper = setInterval(() => void measured.scrape(), 1000);
      await sleep(seconds * 1000);
      const scraped = await compareWith(budget, measured, `${what}, scraped each second`);
      clearInterval(scraper);
      return [...unscraped, ...scraped];
    } finally {
      await measured.end();
      processes.end();
    }
  },
};

interface Budget {
  readonly floor: Floor | undefined;
  readonly maxRatio: number;
}

async function compareWith(
  { floor, maxRatio }: Budget,
  measured: MeasuredAgent,
  what: string,
): Promise<Result[]> {
  const before = measured.readCpu();
  const [reference] = await Promise.all([runFloor(floor), sleep(seconds * 1000)]);
  const after = measured.readCpu();
  const ours = (after.cpuMs - before.cpuMs) / seconds;
  const main = (after.mainMs - before.mainMs) / seconds;
  const { privateMegabytes, residentMegabytes } = measured.readMemory();
  return [
    compare(`${what}: CPU per second`, 'ms', { ours, reference }, maxRatio),
    compare(`${what}: of which on the main thread`, 'ms', { ours: main, reference }),
    {
      ...compare(`${what}: private memory`, 'MB', { ours: privateMegabytes, reference: undefined }),
      budget: `at most ${maxPrivateMegabytes} MB`,
      met: privateMegabytes <= maxPrivateMegabytes,
    },
    compare(`${what}: resident memory`, 'MB', { ours: residentMegabytes, reference: undefined }),
  ];
}

/** @returns CPU milliseconds per second */
async function runFloor(floor: Floor | undefined): Promise<number | undefined> {
  const [cpuUs] = (await floor?.run('1000000', String(seconds), 'all')) ?? [];
  return cpuUs && cpuUs / 1000;
}
