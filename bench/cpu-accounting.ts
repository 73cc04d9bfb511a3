import { setTimeout } from 'node:timers/promises';
import { describeError } from '../src/errors.js';
import { CpuAccounting } from '../src/linux/bpf/cpu-accounting.js';
import { readBootTimeNs } from '../src/linux/clocks.js';
import { median, type Benchmark, type Result } from './benchmark.js';
import { findFloor, type Floor } from './floors.js';
import { countProcesses } from './processes.js';

const wanted = 5000;
const rounds = 20;
const pauseMs = 250;
const maxMicroseconds = 0.3;
/** Share of the processes that run between two passes. */
const busyShares = [0, 0.01, 0.1, 1];

/**
 * CPU time of 5,000 processes: read in one pass by eBPF, against a loop in C over their CPU clocks, in the same
 * run.
 */
export const cpuAccounting: Benchmark = {
  name: 'cpu-accounting',
  async measure() {
    const floor = findFloor('cpu-clocks');
    if (floor === undefined) return [];
    const accounting = await CpuAccounting.open().catch((error: unknown) => {
      console.error(describeError(error));
    });
    if (accounting === undefined) return [];
    const results: Result[] = [];
    for (const share of busyShares) results.push(await measureShare(accounting, floor, share));
    accounting.close();
    return results;
  },
};

async function measureShare(accounting: CpuAccounting, floor: Floor, share: number): Promise<Result> {
  const others = countProcesses();
  // It starts the processes and runs for longer than the measurement.
  const args = [wanted, 2.5 * rounds, pauseMs * 1000, share * wanted];
  const clocks = floor.run(...args.map(String));
  while (countProcesses() < wanted) await setTimeout(pauseMs);
  const ours = await measurePasses(accounting);
  const [nanoseconds] = await clocks;
  while (countProcesses() > others + wanted / 2) await setTimeout(pauseMs);
  return describe(share, ours, nanoseconds === undefined ? undefined : nanoseconds / 1000);
}

/** CPU microseconds per process of a pass, including the handling of its records. */
async function measurePasses(accounting: CpuAccounting): Promise<number> {
  const passes: number[] = [];
  for (let round = 0; round < 1.5 * rounds; round++) {
    const before = process.cpuUsage();
    accounting.update(Number(readBootTimeNs()), () => {});
    const { user, system } = process.cpuUsage(before);
    // The first half warms up.
    if (round >= rounds / 2) passes.push((user + system) / countProcesses());
    await setTimeout(pauseMs);
  }
  return median(passes);
}

function describe(share: number, ours: number, reference: number | undefined): Result {
  const which = share === 0 ? '' : `, ${share * 100} % of which run meanwhile`;
  return {
    what: `CPU time of ${wanted} processes${which}, of each`,
    unit: 'us',
    ours,
    reference,
    ratio: reference === undefined ? undefined : ours / reference,
    budget: `at most ${maxMicroseconds} us`,
    met: ours <= maxMicroseconds,
  };
}
