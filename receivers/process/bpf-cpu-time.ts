import type { BriefProcess, CgroupIds } from '../../src/linux/bpf/accounted-process.js';
import type { CpuAccounting } from '../../src/linux/bpf/cpu-accounting.js';
import { detail, detailCount } from '../../src/linux/bpf/process-details.js';
import { pageSize } from '../../src/linux/libc.js';
import type { ProcessStat } from '../../src/linux/process-stat.js';
import { tickNs } from '../../src/linux/procfs.js';
import type { CpuTimeSource } from './cpu-time-source.js';

/** Maximum time from the start of a process, according to the kernel, until passes find it. */
const maxStartNs = 1e9;

/**
 * Reads all processes at once with BPF. Processes that BPF does not show, such as the first process of some
 * virtual machines, are read from their CPU clocks.
 */
export class BpfCpuTime implements CpuTimeSource {
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
