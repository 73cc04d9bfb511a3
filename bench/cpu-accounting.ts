import { setTimeout } from 'node:timers/promises';
import { describeError } from '../src/errors.js';
import { CpuAccounting } from '../src/linux/bpf/cpu-accounting.js';
import { readBootTimeNs } from '../src/linux/clocks.js';
import { median, type Benchmark, type Result } from './benchmark.js';
import { findFloor } from './floors.js';
import { countProcesses } from './processes.js';

const wanted = 5000;
const rounds = 40;
const pauseMs = 50;
const maxMicroseconds = 0.3;

/** The CPU time of 5,000 processes: all in one pass by eBPF, against a loop in C over their CPU clocks, side by side. */
export const cpuAccounting: Benchmark = {
  name: 'cpu-accounting',
  async measure() {
    const floor = findFloor('cpu-clocks');
    if (floor === undefined) return [];
    const accounting = await CpuAccounting.open().catch((error: unknown) => {
      console.error(describeError(error));
    });
    if (accounting === undefined) return [];
    // It starts the processes, and goes on for longer than we measure.
    const clocks = floor.run(String(wanted), String(3 * rounds), String(pauseMs * 1000));
    try {
      while (countProcesses() < wanted) await setTimeout(pauseMs);
      const ours = await measurePasses(accounting);
      const [nanoseconds] = await clocks;
      return [describe(ours, nanoseconds === undefined ? undefined : nanoseconds / 1000)];
    } finally {
      accounting.close();
    }
  },
};

/** CPU microseconds per process of a pass, what is done with its records included. */
async function measurePasses(accounting: CpuAccounting): Promise<number> {
  const passes: number[] = [];
  for (let round = 0; round < 2 * rounds; round++) {
    const before = process.cpuUsage();
    accounting.update(Number(readBootTimeNs()), () => {});
    const { user, system } = process.cpuUsage(before);
    // The first half warms up.
    if (round >= rounds) passes.push((user + system) / countProcesses());
    await setTimeout(pauseMs);
  }
  return median(passes);
}

function describe(ours: number, reference: number | undefined): Result {
  return {
    what: `CPU time of ${wanted} processes, of each`,
    unit: 'us',
    ours,
    reference,
    ratio: reference === undefined ? undefined : ours / reference,
    budget: `at most ${maxMicroseconds} us`,
    met: ours <= maxMicroseconds,
  };
}
