import { setTimeout as sleep } from 'node:timers/promises';
import { median, type Benchmark, type Result } from './benchmark.js';
import { startChurn } from './churn.js';
import { findMemoryGrowth } from './memory-growth.js';
import { startSoakedAgent, type SoakedAgent } from './soaked-agent.js';
import { theilSenSlope } from './theil-sen.js';

/** The heap and malloc arenas need some minutes and full collections to reach their sizes. */
const warmUpSeconds = Number(process.env['SOAK_WARM_UP_SECONDS'] ?? 300);
const seconds = Number(process.env['SOAK_SECONDS'] ?? 600);
const scrapeEverySeconds = 5;
/** A multiple of the interval above. */
const sayEverySeconds = 60;
const maxMebibytes = 1;

interface Samples {
  readonly atSeconds: number[];
  readonly resident: number[];
  readonly heapAtSeconds: number[];
  readonly heap: number[];
}

/**
 * Whether memory grows: the default agent, with additional sampling at 1 kHz, scraped and sending OTLP, for ten
 * minutes on a machine with short-lived processes. Other activity of the machine counts, since the agent sees
 * its processes: on a busy machine, `unshare --pid --fork --mount-proc` hides them.
 */
export const soak: Benchmark = {
  name: 'soak',
  isLong: true,
  async measure() {
    const agent = await startSoakedAgent();
    const endChurn = startChurn();
    try {
      await watch(agent, warmUpSeconds);
      const samples = await watch(agent, seconds);
      if (agent.requests() === 0) throw new Error('Cannot soak the agent: it sent nothing to the sink');
      return describeGrowth(samples);
    } finally {
      endChurn();
      await agent.end();
    }
  },
};

async function watch(agent: SoakedAgent, forSeconds: number): Promise<Samples> {
  const samples: Samples = { atSeconds: [], resident: [], heapAtSeconds: [], heap: [] };
  const begin = performance.now();
  for (let second = 0; second < forSeconds; second++) {
    await sleep(Math.max(0, begin + second * 1000 - performance.now()));
    samples.atSeconds.push(second);
    samples.resident.push(agent.readResidentMebibytes());
    if (second % scrapeEverySeconds !== 0) continue;
    samples.heapAtSeconds.push(second);
    samples.heap.push(await agent.scrape());
    if (second % sayEverySeconds === 0) say(second, samples);
  }
  return samples;
}

function say(second: number, { resident, heap }: Samples): void {
  const lately = median(resident.slice(-sayEverySeconds));
  console.error(
    `${second} s: ${lately.toFixed(1)} MiB resident, ${heap.at(-1)?.toFixed(1)} MiB of heap used`,
  );
}

function describeGrowth({ atSeconds, resident, heapAtSeconds, heap }: Samples): readonly Result[] {
  const growth = findMemoryGrowth(resident) * seconds;
  const rest = { reference: undefined, budget: '', ratio: undefined, met: undefined };
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
