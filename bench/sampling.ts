import { setTimeout as sleep } from 'node:timers/promises';
import { createNoopMeter, type Counter, type Meter } from '@opentelemetry/api';
import { createLogCollector } from '../src/component/fakes.js';
import type { RunningSampler, SamplerRequest, Sampling } from '../src/component/sampling.js';
import { createSampling } from '../src/sampling/sampling-threads.js';
import { compare, median, type Benchmark, type Result } from './benchmark.js';
import { findFloor, type Floor } from './floors.js';

/** Measurements of one run at one rate. */
interface Run {
  readonly ticks: number;
  readonly missed: number;
  readonly cpuUs: number;
}

/** A sampler to measure. */
export type Sampled = Pick<SamplerRequest, 'module' | 'options' | 'describe'>;

/** A rate to measure at, with its budgets. */
export interface Rate {
  readonly hz: number;
  readonly maxRatio?: number;
  readonly maxMissedPoints?: number;
}

/** The fastest rate first, so that the slow ones run compiled code, as in an agent that has run for some time. */
const rates: readonly Rate[] = [
  { hz: 50_000, maxMissedPoints: 0.1 },
  { hz: 10_000, maxRatio: 1.25, maxMissedPoints: 0.1 },
  { hz: 1000, maxRatio: 1.5 },
  { hz: 100 },
];
const rounds = 9;
const runSeconds = 1;
const flushMs = 1000;

/** CPU time per sample and missed ticks, main thread included, against the same reads in C. */
export const sampling: Benchmark = {
  name: 'sampling',
  measure: () => measureSampler(minimal, rates),
};

/** Measures a sampler on its own sampling thread. */
export async function measureSampler(sampled: Sampled, atRates: readonly Rate[]): Promise<readonly Result[]> {
  const floor = findFloor('sampling');
  const subject = await openSubject(sampled);
  const results: Result[] = [];
  for (const rate of atRates) results.push(...(await measureRate(rate, subject, floor)));
  await subject.close();
  return results;
}

const metric = { name: 'bench', unit: '1', description: '', kind: 'counter', valueType: 'int' } as const;

/** Reads the same counters as the floor and does nothing else. */
const minimal: Sampled = {
  module: new URL('./perf-sampler.js', import.meta.url),
  options: undefined,
  describe: (columns, start) =>
    // Description returned by perf-sampler.ts.
    (columns as number[]).map((config) => ({
      metric,
      resource: { attributes: {} },
      attributes: { config },
      start,
    })),
};

interface Subject {
  run(hz: number): Promise<Run>;
  close(): Promise<void>;
}

async function measureRate(rate: Rate, subject: Subject, floor?: Floor): Promise<Result[]> {
  const { hz, maxRatio, maxMissedPoints } = rate;
  // The compiler needs some thousand ticks, and caches have to be warm.
  await subject.run(hz);
  const [ours, theirs]: [Run[], Run[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    ours.push(await subject.run(hz));
    if (floor !== undefined) theirs.push(await runFloor(floor, hz));
  }
  const cost = { ours: costOf(ours), reference: theirs.length === 0 ? undefined : costOf(theirs) };
  return [
    compare(`CPU per sample at ${hz} Hz`, 'us', cost, maxRatio),
    compareMissed(
      hz,
      { ours: missedPercent(ours), reference: theirs.length === 0 ? undefined : missedPercent(theirs) },
      maxMissedPoints,
    ),
  ];
}

function compareMissed(
  hz: number,
  { ours, reference }: Pick<Result, 'ours' | 'reference'>,
  points?: number,
): Result {
  const hasBudget = points !== undefined && reference !== undefined;
  return {
    what: `Missed ticks at ${hz} Hz`,
    unit: '%',
    ours,
    reference,
    ratio: undefined,
    budget: points === undefined ? '' : `at most ${points} points more`,
    met: hasBudget ? ours <= reference + points : undefined,
  };
}

function costOf(runs: readonly Run[]): number {
  return median(runs.map(({ cpuUs, ticks }) => cpuUs / ticks));
}

function missedPercent(runs: readonly Run[]): number {
  return median(runs.map(({ ticks, missed }) => (missed / (ticks + missed)) * 100));
}

async function runFloor(floor: Floor, hz: number): Promise<Run> {
  const [ticks, missed, cpuUs] = await floor.run(String(hz), String(runSeconds));
  return { ticks, missed, cpuUs };
}

/**
 * One sampler for all runs, as in a long-running agent: V8 compiles its code once. The code of one that is opened for
 * every run takes 2 us more per sample. Between the runs it is paused.
 */
async function openSubject(sampled: Sampled): Promise<Subject> {
  const counter = createMissedCounter();
  const threads = createSampling({ log: createLogCollector(), meter: counter.meter });
  let rows = 0;
  let onTable: (() => void) | undefined;
  const nextTable = () => new Promise<void>((resolve) => (onTable = resolve));
  const sampler = await startSampler(threads, sampled, (count) => {
    rows += count;
    onTable?.();
  });
  await sampler.pause();
  return {
    async run(hz) {
      await sampler.setPeriod(1e9 / hz);
      await sampler.resume();
      // Waits for a table at both ends, so that each second includes the cost of passing one on.
      await nextTable();
      const [firstRows, firstMissed, firstUsage] = [rows, counter.missed(), process.cpuUsage()];
      await sleep(runSeconds * 1000 - flushMs / 10);
      await nextTable();
      const { user, system } = process.cpuUsage(firstUsage);
      const run = { ticks: rows - firstRows, missed: counter.missed() - firstMissed, cpuUs: user + system };
      await sampler.pause();
      return run;
    },
    async close() {
      await sampler.stop();
      await threads.shutdown();
    },
  };
}

function startSampler(
  threads: Sampling,
  sampled: Sampled,
  countRows: (rows: number) => void,
): Promise<RunningSampler> {
  return threads.start({
    ...sampled,
    id: 'bench',
    periodNs: 1e9,
    flushMs,
    next: {
      consume(table) {
        countRows(table.offsets.length);
        return true;
      },
    },
    log: createLogCollector(),
  });
}

function createMissedCounter(): { readonly meter: Meter; missed(): number } {
  let missed = 0;
  const noop = createNoopMeter();
  const counter: Counter = { add: (count) => void (missed += count) };
  const meter: Meter = Object.create(noop, {
    createCounter: {
      value: (name: string) =>
        name === 'joulemetry.sampler.missed_ticks' ? counter : noop.createCounter(name),
    },
  });
  return { meter, missed: () => missed };
}
