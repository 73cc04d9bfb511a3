import { describeError } from '../../src/errors.js';
import type { BriefProcess } from '../../src/linux/bpf/accounted-process.js';
import { CpuAccounting } from '../../src/linux/bpf/cpu-accounting.js';
import { CpuClock, originSecond, readBootTimeNs, readTickNs } from '../../src/linux/clocks.js';
import type { CpuPackages } from '../../src/linux/cpu-packages.js';
import { ProcessStat } from '../../src/linux/process-stat.js';
import { tickNs } from '../../src/linux/procfs.js';
import { readRegularText } from '../../src/linux/regular-file.js';
import type { Config } from './config.js';

/** Knows how much CPU time each process has used since its birth: the kernel's CPU clocks, or a program in it. */
export interface CpuTimeSource {
  /** Whole seconds of the last reading. */
  readonly seconds: number;
  /** What the last reading has beyond whole seconds. */
  readonly nanoseconds: number;
  /**
   * Whether the last reading was of a process that is there. One that is `ending` has no files any more and will be
   * `dead`: then the reading was its last. Where deaths are not reported, a process is alive or is not read.
   */
  readonly state: 'alive' | 'ending' | 'dead';
  /**
   * Grows, from one reading of a process to the next, when its name, user or cgroup is another one. Undefined where the
   * source does not know who a process is: only its files have that.
   */
  readonly revision: number | undefined;
  /** CPU nanoseconds on each package since its birth; undefined where the source does not know. */
  readonly packageNs: Float64Array | undefined;
  /** What the main thread did, a letter of proc_pid_stat(5); undefined where the source does not know. */
  readonly taskState: string | undefined;
  /** By how many nanoseconds the CPU time of a process that runs may be behind. */
  readonly lagNs: number;
  /** Deaths that could not be reported, since the start. */
  readonly lost: number;
  /** Moves of threads to another package that could not be noted, since the start; undefined where none is. */
  readonly lostMoves?: number | undefined;
  /**
   * The processes that the last scan met first; the first scan has all that it met. Undefined where the source does not
   * know what there is: only a listing does.
   */
  readonly born: readonly number[] | undefined;
  /**
   * The processes of which the last scan knows something else than the one before, some more than once; all others that
   * have a `revision` are as they were. Undefined where the source does not know.
   */
  readonly changed?: readonly number[] | undefined;
  /**
   * The instant of the CPU times of all processes of the last scan: CLOCK_MONOTONIC, in nanoseconds after `originSecond`.
   * Undefined where each has an instant of its own, at which it is read.
   */
  readonly readAtNs: number | undefined;
  /**
   * A scan begins. A source that reads all processes at once does it here.
   * @param bootNs CLOCK_BOOTTIME
   * @param take is passed each process that came and went since the last scan, and must not keep it
   */
  beginScan(bootNs: number, take: (process: BriefProcess) => void): void;
  /**
   * Reads one process into `seconds`, `nanoseconds` and `state`. Allocates nothing.
   * @param startTicks its birth as in `/proc/PID/stat`, where it is known: another process may have its number by now
   * @returns false when there is no such process
   */
  read(pid: number, startTicks?: number): boolean;
  /** Whether the source knows a process and will report its end: its files can have gone before. */
  holds(pid: number): boolean;
  /** The cgroup of a process, by the number that brief processes have; undefined when the source does not know it. */
  findCgroupId(pid: number): number | undefined;
  close(): void;
}

/** When the CPU time of all processes was read at once, of which the scan's own instant is known by two clocks. */
export function findReadNs(
  source: CpuTimeSource | undefined,
  { wallNs, monotonicNs }: Readonly<Record<'wallNs' | 'monotonicNs', bigint>>,
): bigint | undefined {
  if (source?.readAtNs === undefined) return undefined;
  return wallNs + BigInt(originSecond) * 1_000_000_000n + BigInt(Math.round(source.readAtNs)) - monotonicNs;
}

/** The source in use, and what keeps the finest one from being used. */
export interface ChosenSource {
  /** Undefined: the ticks of `stat`. */
  readonly source: CpuTimeSource | undefined;
  /** Why BPF is not used, where that was not asked for. */
  readonly obstacle?: string;
}

/**
 * Finds the finest source for the processes of a procfs.
 * @param packages where it is to know on which of them processes run, if it can
 * @throws Error when `cpu_time` is `ebpf` and that cannot be had
 */
export async function chooseCpuTimeSource(config: Config, packages?: CpuPackages): Promise<ChosenSource> {
  const { procfs, cpu_time: wanted } = config;
  const clocks = findCpuClocks(procfs);
  if (wanted === 'procfs') return { source: clocks };
  try {
    if (clocks === undefined) throw new Error(`${procfs} is of another pid namespace`);
    return { source: await openBpf(clocks, isBelowTick(config), packages) };
  } catch (error) {
    if (wanted === 'ebpf') throw error;
    return { source: clocks, obstacle: describeError(error) };
  }
}

const minTicks = 25;

/** Whether what a tick hides is more than 4 % of the time between two scans. */
function isBelowTick({ collection_interval: intervalMs }: Config): boolean {
  return intervalMs * 1e6 < minTicks * readTickNs();
}

async function openBpf(
  clocks: CpuTimeSource,
  isExact: boolean,
  packages: CpuPackages | undefined,
): Promise<CpuTimeSource> {
  const accounting = await CpuAccounting.open(isExact, packages);
  const source = new BpfCpuTime(accounting, clocks, {
    lagNs: isExact ? 0 : readTickNs(),
    packages: packages?.numbers.length,
  });
  source.beginScan(Number(readBootTimeNs()), () => {});
  const stat = new ProcessStat();
  if (stat.read('/proc/self') && source.read(process.pid, stat.startTicks)) return source;
  source.close();
  throw new Error('expected births as in procfs, found others: a time namespace moves them');
}

/** The CPU clocks know processes by the numbers of our own pid namespace; a procfs may be that of another or none. */
export function findCpuClocks(procfs: string): CpuTimeSource | undefined {
  const clocks = new ClockCpuTime();
  return isOwnNamespace(procfs) && clocks.read(process.pid) ? clocks : undefined;
}

/** The CPU clock of each process: a system call for each, and nothing of those that have ended. */
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
  findCgroupId(): undefined {}
  close(): void {}
}

/** All processes at once by BPF. What it does not show, as some virtual machines' first process, the clocks do. */
class BpfCpuTime implements CpuTimeSource {
  seconds = 0;
  nanoseconds = 0;
  state: CpuTimeSource['state'] = 'alive';
  revision: number | undefined;
  taskState: string | undefined;
  packageNs: Float64Array | undefined;
  /** What `packageNs` is of a process that the accounting knows. */
  readonly #packageNs: Float64Array | undefined;
  readonly #accounting: CpuAccounting;
  readonly #clocks: CpuTimeSource;
  readonly lagNs: number;

  /** @param options by how much CPU times may be behind, and how many packages are told apart, if any */
  constructor(
    accounting: CpuAccounting,
    clocks: CpuTimeSource,
    { lagNs, packages }: { readonly lagNs: number; readonly packages: number | undefined },
  ) {
    this.#accounting = accounting;
    this.#clocks = clocks;
    this.lagNs = lagNs;
    if (packages !== undefined) this.#packageNs = new Float64Array(packages);
  }

  get lost(): number {
    return this.#accounting.lost;
  }

  get lostMoves(): number | undefined {
    return this.#packageNs && this.#accounting.lostMoves;
  }

  get born(): readonly number[] {
    return this.#accounting.born;
  }

  get changed(): readonly number[] | undefined {
    return this.#accounting.changed;
  }

  get readAtNs(): number {
    return this.#accounting.readAtNs;
  }

  beginScan(bootNs: number, take: (process: BriefProcess) => void): void {
    this.#accounting.update(bootNs, take);
  }

  read(pid: number, startTicks?: number): boolean {
    const process = this.#accounting.find(pid);
    if (process === undefined) return this.#readClock(pid);
    const knownTicks = Math.floor(process.startNs / tickNs);
    // The number can have gone to another process since the pass, which only the clock knows; or before it.
    if (startTicks !== undefined && startTicks > knownTicks) return this.#readClock(pid);
    if (startTicks !== undefined && startTicks < knownTicks) return false;
    this.seconds = process.seconds;
    this.nanoseconds = process.nanoseconds;
    this.state = process.state;
    this.revision = process.revision;
    this.taskState = process.taskState;
    this.packageNs = this.#packageNs;
    if (this.packageNs) process.copyPackages(this.packageNs);
    return true;
  }

  holds(pid: number): boolean {
    return this.#accounting.find(pid) !== undefined;
  }

  findCgroupId(pid: number): number | undefined {
    return this.#accounting.find(pid)?.cgroupId;
  }

  close(): void {
    this.#accounting.close();
  }

  #readClock(pid: number): boolean {
    if (!this.#clocks.read(pid)) return false;
    this.seconds = this.#clocks.seconds;
    this.nanoseconds = this.#clocks.nanoseconds;
    this.state = 'alive';
    this.revision = undefined;
    this.taskState = undefined;
    this.packageNs = undefined;
    return true;
  }
}

function isOwnNamespace(procfs: string): boolean {
  // One number for each pid namespace from that of the procfs down to ours.
  return findStatusLine(`${procfs}/self/status`, 'NSpid') === String(process.pid);
}

function findStatusLine(path: string, name: string): string | undefined {
  try {
    const prefix = `${name}:\t`;
    const line = readRegularText(path)
      .split('\n')
      .find((each) => each.startsWith(prefix));
    return line?.slice(prefix.length);
  } catch {
    // Neither procfs nor its own entry in it: a folder of test files, or a procfs that we are not part of.
    return undefined;
  }
}
