import { describeError } from '../../src/errors.js';
import { CpuAccounting } from '../../src/linux/bpf/cpu-accounting.js';
import { CpuClock, readBootTimeNs, readTickNs } from '../../src/linux/clocks.js';
import type { CpuPackages } from '../../src/linux/cpu-packages.js';
import { ProcessStat } from '../../src/linux/process-stat.js';
import { BpfCpuTime } from './bpf-cpu-time.js';
import { countScansToLookAgain, type Config } from './config.js';
import type { CpuTimeSource } from './cpu-time-source.js';
import { isOwnNamespace } from './own-namespace.js';

/** The source in use, and why a more precise one is not used. */
export interface ChosenSource {
  /** Undefined: the ticks of `stat` are used. */
  readonly source: CpuTimeSource | undefined;
  /** Why eBPF is not used, if the settings do not require it. */
  readonly obstacle?: string;
}

/**
 * Finds the most precise source for the processes of a procfs.
 * @param packages the packages for which the source should count CPU time, if it can
 * @throws Error if `cpu_time` is `ebpf` and eBPF is not available
 */
export async function chooseCpuTimeSource(config: Config, packages?: CpuPackages): Promise<ChosenSource> {
  const { procfs, cpu_time: wanted } = config;
  const clocks = findCpuClocks(procfs);
  if (wanted === 'procfs') return { source: clocks };
  try {
    if (clocks === undefined) throw new Error(`${procfs} belongs to another pid namespace`);
    return { source: await openBpf(clocks, config, packages) };
  } catch (error) {
    if (wanted === 'ebpf') throw error;
    return { source: clocks, obstacle: describeError(error) };
  }
}

const minTicks = 25;

/** Whether a tick is more than 4 % of the time between two scans. */
function isBelowTick({ collection_interval: intervalMs }: Config): boolean {
  return intervalMs * 1e6 < minTicks * readTickNs();
}

async function openBpf(
  clocks: CpuTimeSource,
  config: Config,
  packages: CpuPackages | undefined,
): Promise<CpuTimeSource> {
  const isExact = isBelowTick(config);
  const accounting = await CpuAccounting.open(isExact, packages, countScansToLookAgain(config));
  const source = new BpfCpuTime(accounting, clocks, {
    lagNs: isExact ? 0 : readTickNs(),
    packages: packages?.numbers.length,
  });
  source.beginScan(Number(readBootTimeNs()), () => {});
  const stat = new ProcessStat();
  if (stat.read('/proc/self') && source.read(process.pid, stat.startTicks)) {
    source.checkDetails(stat);
    return source;
  }
  source.close();
  throw new Error('expected the creation times of procfs, found others: a time namespace shifts them');
}

/** The CPU clocks use PIDs of the agent's own PID namespace; the procfs may belong to another one, or be a copy. */
export function findCpuClocks(procfs: string): CpuTimeSource | undefined {
  const clocks = new ClockCpuTime();
  return isOwnNamespace(procfs) && clocks.read(process.pid) ? clocks : undefined;
}

/** The CPU clock of each process, read with one system call each. Processes that have ended are not read. */
class ClockCpuTime extends CpuClock implements CpuTimeSource {
  readonly state = 'alive';
  readonly revision = undefined;
  readonly packageNs = undefined;
  readonly taskState = undefined;
  readonly lagNs = readTickNs();
  readonly lost = 0;
  readonly born = undefined;
  readonly readAtNs = undefined;
  beginScan(): void {}
  holds(): boolean {
    return false;
  }
  findCgroups(): undefined {}
  close(): void {}
}
