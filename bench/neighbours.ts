import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { median, type Benchmark, type Result } from './benchmark.js';
import { compileFloor, findFloor, type Floor } from './floors.js';
import { startSamplingAgent } from './sampling-agent.js';

const rates = [1, 100, 1000, 10_000];
/** Until the code of a fast sampler is compiled. */
const warmUpMs = 8000;
const pairs = 11;
/** About a sixth of a second of computing. */
const computeRounds = 1000;
/** A process that was stopped reads late for a moment after it continues. */
const settleMs = 100;
const maxPercentAt1kHz = 0.25;

/** Computing programs, by the CPUs that they run on. */
const programs = [
  { what: 'one program on each CPU', cpus: Array.from({ length: availableParallelism() }, (_, cpu) => cpu) },
  { what: "one program, on the sampler's CPU", cpus: [0] },
];

/**
 * Slowdown of a compute-bound program by an agent that samples: its run time with the agent against its run
 * time while the agent is stopped by SIGSTOP, alternately, and the same for the C loop. The result is the
 * median of the ratios of neighbouring runs; CPU time shows the effect of caches and clock frequency alone,
 * without the time in which the program had to wait.
 */
export const neighbours: Benchmark = {
  name: 'neighbours',
  isLong: true,
  async measure() {
    const busy = findFloor('busy');
    if (busy === undefined) return [];
    const loop = compileFloor('sampling');
    const results: Result[] = [];
    for (const hz of rates) results.push(...(await measureRate(hz, busy, loop)));
    return results;
  },
};

/** A process that can be stopped and continued. */
type Signal = (signal: 'SIGSTOP' | 'SIGCONT') => void;

/** Percent by which a program became slower. */
interface Slowdown {
  readonly wall: number;
  readonly cpu: number;
}

async function measureRate(hz: number, busy: Floor, loop: string): Promise<readonly Result[]> {
  const ours = await measureAgent(hz, busy);
  const reference = await measureLoop(hz, busy, loop);
  return programs.flatMap(({ what }, i) => [
    describe(
      `${what}, ${hz} Hz: run time`,
      ours[i].wall,
      reference[i].wall,
      hz === 1000 ? maxPercentAt1kHz : undefined,
    ),
    describe(`${what}, ${hz} Hz: CPU time`, ours[i].cpu, reference[i].cpu),
  ]);
}

async function measureAgent(hz: number, busy: Floor): Promise<readonly Slowdown[]> {
  const agent = await startSamplingAgent({ hz, exporter: 'debug: {}', staysOnCpu0: true });
  try {
    await sleep(warmUpMs);
    return await measurePrograms(busy, (signal) => void process.kill(agent.pid, signal));
  } finally {
    await agent.end();
  }
}

async function measureLoop(hz: number, busy: Floor, loop: string): Promise<readonly Slowdown[]> {
  const child = spawn(loop, [String(hz), '600'], { stdio: 'ignore' });
  try {
    await sleep(settleMs);
    return await measurePrograms(busy, (signal) => void child.kill(signal));
  } finally {
    child.kill('SIGKILL');
  }
}

async function measurePrograms(busy: Floor, signal: Signal): Promise<readonly Slowdown[]> {
  const slowdowns: Slowdown[] = [];
  for (const { cpus } of programs) slowdowns.push(await measurePairs(busy, cpus, signal));
  return slowdowns;
}

async function measurePairs(busy: Floor, cpus: readonly number[], signal: Signal): Promise<Slowdown> {
  const [wall, cpu]: number[][] = [[], []];
  for (let pair = 0; pair < pairs; pair++) {
    signal('SIGSTOP');
    const alone = await compute(busy, cpus);
    signal('SIGCONT');
    await sleep(settleMs);
    const beside = await compute(busy, cpus);
    wall.push((beside.wall / alone.wall - 1) * 100);
    cpu.push((beside.cpu / alone.cpu - 1) * 100);
  }
  return { wall: median(wall), cpu: median(cpu) };
}

/** Microseconds of all programs together, which run at the same time. */
async function compute(busy: Floor, cpus: readonly number[]): Promise<Slowdown> {
  const runs = await Promise.all(cpus.map((cpu) => busy.run(String(cpu), String(computeRounds))));
  return {
    wall: runs.reduce((sum, [us = NaN]) => sum + us, 0),
    cpu: runs.reduce((sum, [, us = NaN]) => sum + us, 0),
  };
}

function describe(what: string, ours: number, reference: number, maxPercent?: number): Result {
  return {
    what: `Slowdown of ${what}`,
    unit: '%',
    ours,
    reference,
    ratio: undefined,
    budget: maxPercent === undefined ? '' : `at most ${maxPercent} %`,
    met: maxPercent === undefined ? undefined : ours <= maxPercent,
  };
}
