import { describeError } from '../../src/errors.js';
import type { BriefProcess, CgroupIds } from '../../src/linux/bpf/accounted-process.js';
import { CpuAccounting } from '../../src/linux/bpf/cpu-accounting.js';
import { detail, detailCount } from '../../src/linux/bpf/process-details.js';
import { CpuClock, originSecond, readBootTimeNs, readTickNs } from '../../src/linux/clocks.js';
import type { CpuPackages } from '../../src/linux/cpu-packages.js';
import { pageSize } from '../../src/linux/libc.js';
import { ProcessStat } from '../../src/linux/process-stat.js';
import { tickNs } from '../../src/linux/procfs.js';
import { countScansToLookAgain, type Config } from './config.js';
import { isOwnNamespace } from './own-namespace.js';

/**
 * Source of the CPU time of each process since its start: the CPU clocks of the kernel, or a program loaded
 * into it.
 */
export interface CpuTimeSource {
  /** Whole seconds of the last reading. */
  readonly seconds: number;
  /** Nanoseconds of the last reading beyond whole seconds. */
  readonly nanoseconds: number;
  /**
   * Whether the process of the last reading still exists. An `ending` process has no files any more, and its
   * CPU time can still change; it becomes `dead` with its last reading. A source that is not notified of ends
   * reports a process as alive or does not find it.
   */
  readonly state: 'alive' | 'ending' | 'dead';
  /**
   * Increases between two readings of a process if its name, user or cgroup has changed. Undefined if the
   * source does not know these; then only the files of the process have them.
   */
  readonly revision: number | undefined;
  /** CPU nanoseconds on each package since its start; undefined if unknown to the source. */
  readonly packageNs: Float64Array | undefined;
  /** State of the main thread, a letter of proc_pid_stat(5); undefined if unknown to the source. */
  readonly taskState: string | undefined;
  /**
   * Memory and threads of the last reading, `detail`, as of when the process last ran or some scans ago; undefined if
   * unknown to the source.
   */
  readonly details?: Float64Array | undefined;
  /** By how many nanoseconds the CPU time of a running process can lag. */
  readonly lagNs: number;
  /** Number of ends that could not be reported, since the start of the source. */
  readonly lost: number;
  /**
   * Number of moves of threads to another package that could not be recorded, since the start of the source;
   * undefined if moves are not recorded.
   */
  readonly lostMoves?: number | undefined;
  /**
   * The processes that the last scan found for the first time; after the first scan, all processes. Undefined
   * if the source does not know which processes exist; then they must be listed.
   */
  readonly born: readonly number[] | undefined;
  /**
   * The processes that changed between the last two scans, possibly with duplicates; all others with a
   * `revision` are unchanged. Undefined if unknown to the source.
   */
  readonly changed?: readonly number[] | undefined;
  /**
   * The time at which the CPU times of all processes of the last scan were read: CLOCK_MONOTONIC, in
   * nanoseconds after `originSecond`. Undefined if each process is read at a different time.
   */
  readonly readAtNs: number | undefined;
  /**
   * Begins a scan. A source that reads all processes at once does so here.
   * @param bootNs CLOCK_BOOTTIME
   * @param take is passed each process that started and ended since the last scan, and must not keep the object
   */
  beginScan(bootNs: number, take: (process: BriefProcess) => void): void;
  /**
   * Reads one process into `seconds`, `nanoseconds` and `state`, without allocating.
   * @param startTicks its start time from `/proc/PID/stat`, if known: the PID may have been reused
   * @returns false if there is no such process
   */
  read(pid: number, startTicks?: number): boolean;
  /** Called for a process that was read but ended before it was identified: a source that reports brief ones reports it. */
  release?(pid: number): void;
  /** Whether the source knows a process and will report its end, which can be after its files have disappeared. */
  holds(pid: number): boolean;
  /** The cgroups of a process, with the same IDs as in brief processes; undefined if unknown to the source. */
  findCgroups(pid: number): CgroupIds | undefined;
  close(): void;
}

/**
 * Unix time at which the CPU time of all processes was read at once, computed from the start of the scan on two
 * clocks.
 */
export function findReadNs(
  source: CpuTimeSource | undefined,
  { wallNs, monotonicNs }: Readonly<Record<'wallNs' | 'monotonicNs', bigint>>,
): bigint | undefined {
  if (source?.readAtNs === undefined) return undefined;
  return wallNs + BigInt(originSecond) * 1_000_000_000n + BigInt(Math.round(source.readAtNs)) - monotonicNs;
}

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

/** Maximum time from the start of a process, according to the kernel, until passes find it. */
const maxStartNs = 1e9;

/**
 * Reads all processes at once with BPF. Processes that BPF does not show, such as the first process of some
 * virtual machines, are read from their CPU clocks.
 */
class BpfCpuTime implements CpuTimeSource {
  seconds = 0;
  nanoseconds = 0;
  state: CpuTimeSource['state'] = 'alive';
  revision: number | undefined;
  taskState: string | undefined;
  packageNs: Float64Array | undefined;
  details: Float64Array | undefined;
  /** Undefined if the kernel counts memory in a way that is not known. */
  #details: Float64Array | undefined;
  /** Last CPU time by package of a process that the accounting covers. */
  readonly #packageNs: Float64Array | undefined;
  readonly #accounting: CpuAccounting;
  readonly #clocks: CpuTimeSource;
  readonly lagNs: number;
  /** CLOCK_BOOTTIME just before the last pass. */
  #passedAtNs = 0;

  /** @param options by how much CPU times can lag, and the number of packages, if CPU time is divided by package */
  constructor(
    accounting: CpuAccounting,
    clocks: CpuTimeSource,
    { lagNs, packages }: { readonly lagNs: number; readonly packages: number | undefined },
  ) {
    this.#accounting = accounting;
    this.#clocks = clocks;
    this.lagNs = lagNs;
    if (accounting.hasDetails) this.#details = new Float64Array(detailCount);
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

  get changed(): readonly number[] {
    return this.#accounting.changed;
  }

  get readAtNs(): number {
    return this.#accounting.readAtNs;
  }

  beginScan(bootNs: number, take: (process: BriefProcess) => void): void {
    this.#passedAtNs = bootNs;
    this.#accounting.update(bootNs, take);
  }

  read(pid: number, startTicks?: number): boolean {
    const process = this.#accounting.find(pid);
    if (process === undefined) return this.#readClock(pid, startTicks);
    const knownTicks = Math.floor(process.startNs / tickNs);
    // The PID may have been reused after the pass, or before it.
    if (startTicks !== undefined && startTicks > knownTicks) return this.#readClock(pid, startTicks);
    if (startTicks !== undefined && startTicks < knownTicks) return false;
    process.claim();
    this.seconds = process.seconds;
    this.nanoseconds = process.nanoseconds;
    this.state = process.state;
    this.revision = process.revision;
    this.taskState = process.taskState;
    this.packageNs = this.#packageNs;
    if (this.packageNs) process.copyPackages(this.packageNs);
    this.details = this.#details;
    if (this.details) process.copyDetails(this.details);
    return true;
  }

  /** Ignores details that procfs does not confirm. @param stat that of the process that was just read */
  checkDetails({ residentPages, virtualBytes }: ProcessStat): void {
    const { details = new Float64Array(detailCount) } = this;
    const isRight = areNear(details[detail.residentPages] ?? NaN, residentPages);
    if (!isRight || !areNear((details[detail.virtualPages] ?? NaN) * pageSize, virtualBytes))
      this.#details = undefined;
  }

  release(pid: number): void {
    this.#accounting.find(pid)?.release();
  }

  holds(pid: number): boolean {
    return this.#accounting.find(pid) !== undefined;
  }

  findCgroups(pid: number): CgroupIds | undefined {
    return this.#accounting.find(pid);
  }

  close(): void {
    this.#accounting.close();
  }

  /**
   * Reads a process that the last pass has not found. One that is younger than the pass is in the next one, or is
   * reported as brief with all its CPU time: reading it here as well would charge it twice.
   */
  #readClock(pid: number, startTicks = 0): boolean {
    if (startTicks * tickNs > this.#passedAtNs - maxStartNs) return false;
    if (!this.#clocks.read(pid)) return false;
    this.seconds = this.#clocks.seconds;
    this.nanoseconds = this.#clocks.nanoseconds;
    this.state = 'alive';
    this.revision = undefined;
    this.taskState = undefined;
    this.packageNs = undefined;
    this.details = undefined;
    return true;
  }
}

/** Whether two sources have the same figure, which changes while they are read. */
export function areNear(one: number, other: number): boolean {
  return one > 0.8 * other && one < 1.25 * other;
}
