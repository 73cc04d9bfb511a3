import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenMap } from '../src/linux/bpf/open-maps.fixture.js';
import { median, type Benchmark, type Result } from './benchmark.js';
import { startChurn } from './churn.js';
import { findMemoryGrowth } from './memory-growth.js';
import { startMovingTree } from './moving-tree.js';
import { startSoakedAgent, type OwnFigures, type SoakedAgent } from './soaked-agent.js';
import { theilSenSlope } from './theil-sen.js';

/** The heap and malloc arenas need some minutes and full collections to reach their sizes. */
const warmUpSeconds = Number(process.env['SOAK_WARM_UP_SECONDS'] ?? 300);
const seconds = Number(process.env['SOAK_SECONDS'] ?? 600);
/** Of processes that each use 1 ms of CPU time, in addition to the five of `startChurn`. */
const birthsPerSecond = Number(process.env['SOAK_BIRTHS_PER_SECOND'] ?? 60);
const cpuUs = 1000;
const scrapeEverySeconds = 5;
/** A multiple of the interval above. */
const sayEverySeconds = 60;
const maxMebibytes = 1;

interface Samples {
  readonly atSeconds: number[];
  /** In MiB, like all memory below. */
  readonly resident: number[];
  readonly private: number[];
  readonly heapAtSeconds: number[];
  readonly heap: number[];
  readonly maps: MapUse[];
  /** Ended threads without a report, since the start of the agent. */
  readonly lostEnds: number[];
  /** Processes and threads that the machine has started since boot. */
  readonly births: number[];
}

/** Of all maps together. */
interface MapUse {
  readonly mebibytes: number;
  /** Of hashes: all other maps have a fixed number. */
  readonly entries: number;
}

/**
 * Whether memory grows: the default agent, with additional sampling at 1 kHz, scraped and sending OTLP, for ten
 * minutes on a machine with short-lived processes; and whether its maps in the kernel are bounded and reports of
 * ends are lost. Other activity of the machine counts, since the agent sees its processes: on a busy machine,
 * `unshare --pid --fork --mount-proc` hides them.
 */
export const soak: Benchmark = {
  name: 'soak',
  isLong: true,
  async measure() {
    const agent = await startSoakedAgent();
    const endChurn = startChurn();
    const tree = await startMovingTree({ sleepers: 0, birthsPerSecond, cpuUs });
    try {
      await watch(agent, warmUpSeconds);
      const samples = await watch(agent, seconds);
      if (agent.requests() === 0) throw new Error('Cannot soak the agent: it sent nothing to the sink');
      return [...describeGrowth(samples), ...describeCourse(samples)];
    } finally {
      endChurn();
      await tree.end();
      await agent.end();
    }
  },
};

async function watch(agent: SoakedAgent, forSeconds: number): Promise<Samples> {
  const samples = createSamples();
  const begin = performance.now();
  for (let second = 0; second < forSeconds; second++) {
    await sleep(Math.max(0, begin + second * 1000 - performance.now()));
    const { residentBytes, privateBytes } = agent.readMemory();
    samples.atSeconds.push(second);
    samples.resident.push(residentBytes / 2 ** 20);
    samples.private.push(privateBytes / 2 ** 20);
    samples.births.push(countBirths());
    if (second % scrapeEverySeconds !== 0) continue;
    samples.heapAtSeconds.push(second);
    noteScrape(samples, await agent.scrape(), agent.listMaps());
    if (second % sayEverySeconds === 0) say(second, samples);
  }
  return samples;
}

function createSamples(): Samples {
  return {
    atSeconds: [],
    resident: [],
    private: [],
    heapAtSeconds: [],
    heap: [],
    maps: [],
    lostEnds: [],
    births: [],
  };
}

function noteScrape(samples: Samples, { heapBytes, lostEnds }: OwnFigures, maps: readonly OpenMap[]): void {
  samples.heap.push(heapBytes / 2 ** 20);
  samples.lostEnds.push(lostEnds);
  samples.maps.push({
    mebibytes: maps.reduce((sum, { bytes }) => sum + bytes, 0) / 2 ** 20,
    entries: maps.reduce((sum, { entries = 0 }) => sum + entries, 0),
  });
}

function countBirths(): number {
  return Number(/^processes (\d+)$/mu.exec(readFileSync('/proc/stat', 'latin1'))?.[1]);
}

function say(second: number, { resident, private: own, heap, maps, lostEnds }: Samples): void {
  const [lately, ownLately] = [resident, own].map((all) => median(all.slice(-sayEverySeconds)).toFixed(1));
  const { mebibytes = NaN, entries } = maps.at(-1) ?? {};
  console.error(
    `${second} s: ${lately} MiB resident, ${ownLately} MiB private, ${heap.at(-1)?.toFixed(1)} MiB of heap used, ` +
      `${mebibytes.toFixed(2)} MiB of BPF maps with ${entries} entries, ${lostEnds.at(-1)} ends lost`,
  );
}

const rest = { reference: undefined, budget: '', ratio: undefined, met: undefined };

function describeGrowth({ atSeconds, resident, heapAtSeconds, heap }: Samples): readonly Result[] {
  const growth = findMemoryGrowth(resident) * seconds;
  return [
    {
      ...rest,
      what: `Soak: growth of resident memory in ${seconds} s`,
      unit: 'MiB',
      ours: growth,
      budget: `at most ${maxMebibytes} MiB`,
      met: growth <= maxMebibytes,
    },
    {
      ...rest,
      what: 'Soak: slope of resident memory, rises between collections included',
      unit: 'MiB/h',
      ours: theilSenSlope(atSeconds, resident) * 3600,
    },
    { ...rest, what: 'Soak: resident memory, median', unit: 'MiB', ours: median(resident) },
    { ...rest, what: 'Soak: resident memory, most', unit: 'MiB', ours: Math.max(...resident) },
    {
      ...rest,
      what: 'Soak: slope of used heap',
      unit: 'MiB/h',
      ours: theilSenSlope(heapAtSeconds, heap) * 3600,
    },
  ];
}

/** Private memory in the first, middle and last minute, and the kernel's maps at both ends. */
function describeCourse({ private: own, maps, lostEnds, births }: Samples): readonly Result[] {
  const minute = Math.min(sayEverySeconds, own.length);
  const middle = (own.length - minute) >> 1;
  const ofMinute = (from: number) => median(own.slice(from, from + minute));
  const [first, last] = [maps[0], maps.at(-1)];
  return [
    { ...rest, what: 'Soak: private memory, first minute', unit: 'MiB', ours: ofMinute(0) },
    { ...rest, what: 'Soak: private memory, middle', unit: 'MiB', ours: ofMinute(middle) },
    { ...rest, what: 'Soak: private memory, last minute', unit: 'MiB', ours: ofMinute(own.length - minute) },
    { ...rest, what: 'Soak: BPF maps at the start', unit: 'MiB', ours: first?.mebibytes ?? NaN },
    { ...rest, what: 'Soak: BPF maps at the end', unit: 'MiB', ours: last?.mebibytes ?? NaN },
    {
      ...rest,
      what: 'Soak: entries of BPF hashes, most',
      unit: '',
      ours: Math.max(...maps.map(({ entries }) => entries)),
    },
    { ...rest, what: 'Soak: ends of threads that were lost', unit: '', ours: growthOf(lostEnds) },
    {
      ...rest,
      what: 'Soak: births of processes and threads',
      unit: '/s',
      ours: growthOf(births) / births.length,
    },
  ];
}

function growthOf(counts: readonly number[]): number {
  return (counts.at(-1) ?? NaN) - (counts[0] ?? NaN);
}
