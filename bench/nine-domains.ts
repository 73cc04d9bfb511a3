import { setTimeout as sleep } from 'node:timers/promises';
import type { Benchmark, Result } from './benchmark.js';
import { findFloor } from './floors.js';
import {
  NineDomainsAgent,
  startBarePage,
  startNineDomains,
  type Delivered,
  type NineDomains,
} from './nine-domains-agent.js';

const hz = 10_000;
const warmUpMs = 5000;
const measuredMs = 1000 * Number(process.env['NINE_DOMAINS_SECONDS'] ?? 25);
const floorSeconds = 5;
const scrapeEveryMs = 200;
const maxMissedPoints = 0.1;
const maxPageMs = 100;
const maxExitMs = 5000;
const maxSliceMs = 5;

/**
 * Nine domains at 10 kHz into Parquet, OTLP and Prometheus at once, while a page is read five times a second to
 * simulate many readers. The C loop reads the same files before and after.
 */
export const nineDomains: Benchmark = {
  name: 'nine-domains',
  async measure() {
    const domains = startNineDomains();
    try {
      const before = await runFloor(domains);
      const measured = await measureAgent(domains);
      const after = await runFloor(domains);
      return describe(
        measured,
        before === undefined || after === undefined ? undefined : (before + after) / 2,
      );
    } finally {
      domains.end();
    }
  },
};

/** @returns the share of missed ticks in percent */
async function runFloor({ files }: NineDomains): Promise<number | undefined> {
  const [ticks, missed] = (await findFloor('files')?.run(`${hz}`, `${floorSeconds}`, ...files)) ?? [];
  return ticks === undefined || missed === undefined ? undefined : shareOf(ticks, missed);
}

function shareOf(ticks: number, missed: number): number {
  return (100 * missed) / (ticks + missed);
}

interface Measured {
  readonly missedPercent: number;
  /** Of the agent's pages, and of those of a bare server. */
  readonly pagesMs: readonly (readonly number[])[];
  readonly longestSliceMs: number;
  /** In CPU time. */
  readonly cpuSlices: { readonly longestMs: number; readonly long: number };
  /** Number of slices longer than the budget. */
  readonly longSlices: number;
  readonly exitMs: number;
  readonly delivered: Delivered;
}

async function measureAgent({ sysfs }: NineDomains): Promise<Measured> {
  const agent = await NineDomainsAgent.start(sysfs, hz);
  const bare = await startBarePage();
  try {
    // The first page of own telemetry takes several milliseconds, since its code has not run before.
    await agent.readOwn(ownFigures);
    await sleep(warmUpMs);
    const before = await agent.readOwn(ownFigures);
    await agent.readSlices();
    const pagesMs = await readPages([agent, bare]);
    const cpuSlices = await agent.readSlices();
    const after = await agent.readOwn(ownFigures);
    const exitMs = await agent.end();
    return {
      missedPercent: shareOf(
        after.sampler_ticks_total - before.sampler_ticks_total,
        after.sampler_missed_ticks_total - before.sampler_missed_ticks_total,
      ),
      pagesMs,
      longestSliceMs: 1000 * after.main_thread_longest_slice_seconds,
      cpuSlices,
      longSlices: after.main_thread_long_slices_total - before.main_thread_long_slices_total,
      exitMs,
      delivered: agent.countDelivered(),
    };
  } finally {
    await bare.end();
    await agent.clean();
  }
}

const ownFigures = [
  'sampler_ticks_total',
  'sampler_missed_ticks_total',
  'main_thread_longest_slice_seconds',
  'main_thread_long_slices_total',
] as const;

interface Server {
  scrape(): Promise<number>;
}

/** Reads the pages of the servers alternately. @returns how long each took, by server, ascending */
async function readPages(servers: readonly Server[]): Promise<readonly (readonly number[])[]> {
  const pagesMs = servers.map((): number[] => []);
  for (const endMs = performance.now() + measuredMs; performance.now() < endMs; await sleep(scrapeEveryMs))
    for (const [i, server] of servers.entries()) pagesMs[i].push(await server.scrape());
  return pagesMs.map((one) => one.toSorted((a, b) => a - b));
}

function describe(
  { missedPercent, pagesMs, longestSliceMs, cpuSlices, longSlices, exitMs, delivered }: Measured,
  reference: number | undefined,
): readonly Result[] {
  const [pages = [], bare = []] = pagesMs;
  const outputs = ['parquet', 'otlp', 'prometheus'] as const;
  return [
    {
      ...createRow('Missed ticks', '%', missedPercent),
      reference,
      budget: `at most ${maxMissedPoints} points more`,
      met: reference === undefined ? undefined : missedPercent <= reference + maxMissedPoints,
    },
    {
      ...createRow(`Page, median of ${pages.length}`, 'ms', quantileOf(pages, 0.5)),
      reference: quantileOf(bare, 0.5),
    },
    { ...limit('Page, p99', quantileOf(pages, 0.99), maxPageMs), reference: quantileOf(bare, 0.99) },
    limit('Longest slice of the main thread', longestSliceMs, maxSliceMs),
    createRow('the same in CPU time, which other programs do not delay', 'ms', cpuSlices.longestMs),
    createRow(`Slices of more than ${maxSliceMs} ms, per minute`, '', (60_000 * longSlices) / measuredMs),
    createRow('the same in CPU time', '', (60_000 * cpuSlices.long) / measuredMs),
    limit('From SIGTERM to the end', exitMs, maxExitMs),
    ...outputs.map((output) => compareCounts(output, delivered)),
  ];
}

function compareCounts(output: keyof Delivered, delivered: Delivered): Result {
  const [ours, reference] = [delivered[output], delivered.received];
  const row = createRow(`Points: ${output}, of those received`, '', ours);
  return { ...row, reference, budget: 'equal', met: ours === reference };
}

function quantileOf(ascending: readonly number[], share: number): number {
  return ascending[Math.ceil(share * ascending.length) - 1] ?? NaN;
}

function createRow(what: string, unit: string, ours: number): Result {
  return { what, unit, ours, reference: undefined, ratio: undefined, budget: '', met: undefined };
}

function limit(what: string, ours: number, max: number): Result {
  return { ...createRow(what, 'ms', ours), budget: `at most ${max} ms`, met: ours <= max };
}
