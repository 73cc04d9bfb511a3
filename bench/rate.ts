import { setTimeout as sleep } from 'node:timers/promises';
import { compare, median, type Benchmark, type Result } from './benchmark.js';
import { findFloor, type Floor } from './floors.js';
import { startSamplingAgent, type SamplingAgent } from './sampling-agent.js';
import { openSink } from './soaked-agent.js';

const hz = 1000;
/** Until the code that runs a thousand times a second, and most of the code that runs once, is compiled. */
const warmUpMs = 30_000;
const rounds = 10;
const roundSeconds = 3;
const maxUs = 25;
const maxMissedPoints = 0.05;

/**
 * A whole agent that samples at 1 kHz: CPU time per sample and missed ticks, compared with a C loop that makes
 * the same reads at the same rate. Both run at the same time, on CPU 0, so that the state of the machine
 * affects them equally. RAPL can be read on every CPU of its package; for the software counters that replace
 * it, reading those of CPU 0 from another CPU would cost an interrupt there.
 */
export const rate: Benchmark = {
  name: 'rate',
  async measure() {
    const floor = findFloor('sampling');
    const sink = await openSink();
    try {
      return [
        ...(await measureExporter('without export', 'debug: {}', floor)),
        ...(await measureExporter(
          'OTLP/HTTP with gzip',
          `otlp_http: {endpoint: "http://localhost:${sink.port}"}`,
          floor,
        )),
      ];
    } finally {
      sink.server.close();
      sink.server.closeAllConnections();
    }
  },
};

async function measureExporter(what: string, exporter: string, floor?: Floor): Promise<readonly Result[]> {
  const agent = await startSamplingAgent({ hz, exporter, staysOnCpu0: true });
  try {
    await sleep(warmUpMs);
    return describe(`Whole agent at 1 kHz, ${what}`, await measureRounds(agent, floor));
  } finally {
    await agent.end();
  }
}

interface Rounds {
  /** CPU microseconds per sample, by round. */
  readonly whole: number[];
  readonly outside: number[];
  readonly reference: number[];
  readonly missedPercent: number;
  readonly referenceMissedPercent: number | undefined;
}

async function measureRounds(agent: SamplingAgent, floor?: Floor): Promise<Rounds> {
  const [whole, outside, reference]: number[][] = [[], [], []];
  let floorMissed = 0;
  const before = await agent.readTicks();
  for (let round = 0; round < rounds; round++) {
    const [begin, cpuUs, samplerUs] = [performance.now(), agent.readCpuUs(), agent.readSamplerCpuUs()];
    const [ticks, missed, floorUs] = (await floor?.run(String(hz), String(roundSeconds))) ?? [];
    if (floor === undefined) await sleep(roundSeconds * 1000);
    const samples = ((performance.now() - begin) / 1000) * hz;
    const wholeUs = agent.readCpuUs() - cpuUs;
    whole.push(wholeUs / samples);
    outside.push((wholeUs - (agent.readSamplerCpuUs() - samplerUs)) / samples);
    if (ticks !== undefined) reference.push(floorUs / ticks);
    floorMissed += missed ?? 0;
  }
  const after = await agent.readTicks();
  const missed = after.missed - before.missed;
  return {
    whole,
    outside,
    reference,
    missedPercent: (missed / (missed + after.taken - before.taken)) * 100,
    referenceMissedPercent: floor && (floorMissed / (rounds * roundSeconds * hz)) * 100,
  };
}

function describe(what: string, measured: Rounds): readonly Result[] {
  const { whole, outside, missedPercent: missed, referenceMissedPercent: floorMissed } = measured;
  const reference = measured.reference.length === 0 ? undefined : median(measured.reference);
  const ours = median(whole);
  return [
    {
      ...compare(`${what}: CPU per sample`, 'us', { ours, reference }),
      budget: `at most ${maxUs} us`,
      met: ours <= maxUs,
    },
    compare(`${what}: of which beside the sampling thread`, 'us', {
      ours: median(outside),
      reference: undefined,
    }),
    {
      ...compare(`${what}: missed ticks`, '%', { ours: missed, reference: floorMissed }),
      ratio: undefined,
      budget: `at most ${maxMissedPoints} points more`,
      met: floorMissed === undefined ? undefined : missed <= floorMissed + maxMissedPoints,
    },
  ];
}
