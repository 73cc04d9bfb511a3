import { closeSync } from 'node:fs';
import { noPackage, type CpuPackages } from './cpu-packages.js';
import {
  parseCpuTimes,
  parseForks,
  readWhole,
  tickNs,
  type CpuTimes,
  type MachineCpuTimes,
} from './procfs.js';
import { openRegularFile } from './regular-file.js';

/** The reading from which busy time is counted on. */
interface Anchor {
  readonly busyNs: number;
  readonly monotonicNs: bigint;
  readonly restTicks: number;
}

/**
 * CPU time of the whole machine that was not idle, waiting for I/O or stolen: CPUs online x time - idle - iowait
 * - steal (docs/ledger.md, Usage). The busy columns of `/proc/stat` are sampled by ticks and too small; idle is
 * measured, but rounded to 10 ms and at times runs backwards, so the sum is kept from going back.
 */
export class BusyTime {
  #anchor: Anchor | undefined;
  #cpus = 0;
  #activeTicks = 0;
  #rawNs = 0;
  #busyNs = 0;
  #monotonicNs = 0n;
  readonly #isSumOfCpus: boolean;

  /** @param isSumOfCpus whether the total is a sum of what the kernel has rounded for each CPU */
  constructor(isSumOfCpus = false) {
    this.#isSumOfCpus = isSumOfCpus;
  }

  /**
   * Takes a reading of `/proc/stat` and the CLOCK_MONOTONIC instant at which it was taken.
   * @returns busy nanoseconds since the first reading, never less than the last time
   */
  update(times: MachineCpuTimes, monotonicNs: bigint): number {
    const cpus = times.byCpu.size;
    const { total } = times;
    this.#anchor ??= { busyNs: 0, monotonicNs, restTicks: countRest(total) };
    let rawNs = countBusy(this.#anchor, cpus, total, monotonicNs);
    if (!this.#isPossible(rawNs, cpus, monotonicNs)) {
      rawNs = this.#rawNs + Math.max(0, countActive(total) - this.#activeTicks) * tickNs;
      this.#anchor = { busyNs: rawNs, monotonicNs, restTicks: countRest(total) };
    }
    this.#cpus = cpus;
    this.#activeTicks = countActive(total);
    this.#rawNs = rawNs;
    this.#monotonicNs = monotonicNs;
    this.#busyNs = Math.max(this.#busyNs, rawNs);
    return this.#busyNs;
  }

  /** Whether the CPUs are those of the last reading and were busy neither less than never nor more than always. */
  #isPossible(rawNs: number, cpus: number, monotonicNs: bigint): boolean {
    if (this.#cpus === 0) return true;
    if (this.#cpus !== cpus) return false;
    // Each of the three columns is rounded by itself, at both ends, and the reader may be preempted between the
    // clock and the file.
    const roundings = this.#isSumOfCpus ? 6 * cpus : 6;
    const toleranceNs = roundings * tickNs + cpus * 2 * tickNs;
    const stepNs = rawNs - this.#rawNs;
    return stepNs >= -toleranceNs && stepNs <= cpus * Number(monotonicNs - this.#monotonicNs) + toleranceNs;
  }
}

function countBusy(anchor: Anchor, cpus: number, total: CpuTimes, monotonicNs: bigint): number {
  const elapsedNs = Number(monotonicNs - anchor.monotonicNs);
  return anchor.busyNs + cpus * elapsedNs - (countRest(total) - anchor.restTicks) * tickNs;
}

function countRest(total: CpuTimes): number {
  return total.idle + total.iowait + total.steal;
}

function countActive(total: CpuTimes): number {
  return total.user + total.nice + total.system + total.irq + total.softirq;
}

/** The busy time of each package: of its CPUs, as that of the machine is of all. */
export class PackageBusyTime {
  readonly #packages: CpuPackages;
  readonly #times: readonly BusyTime[];
  #cpus = 0;

  constructor(packages: CpuPackages) {
    this.#packages = packages;
    this.#times = packages.numbers.map(() => new BusyTime(true));
  }

  /** @returns busy nanoseconds of each package since the first reading */
  update({ byCpu }: MachineCpuTimes, monotonicNs: bigint): readonly number[] {
    if (byCpu.size !== this.#cpus) this.#packages.refresh();
    this.#cpus = byCpu.size;
    const own = this.#times.map((): Map<number, CpuTimes> => new Map());
    for (const [cpu, times] of byCpu) own[this.#packages.byCpu[cpu] ?? noPackage]?.set(cpu, times);
    return this.#times.map((time, i) => {
      const cpus = own[i] ?? new Map<number, CpuTimes>();
      return time.update({ total: addUp(cpus.values()), byCpu: cpus }, monotonicNs);
    });
  }
}

function addUp(all: Iterable<CpuTimes>): CpuTimes {
  const sum = { user: 0, nice: 0, system: 0, idle: 0, iowait: 0, irq: 0, softirq: 0, steal: 0 };
  for (const times of all) for (const name of columns) sum[name] += times[name];
  return { ...sum, guest: 0, guestNice: 0 };
}

const columns = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const;

/** Reads the busy time of the machine again and again, through one descriptor. Must be closed. */
export class BusyTimeReader {
  readonly #fd: number;
  // Holds the CPU lines of 2,000 CPUs at least.
  readonly #buffer = Buffer.allocUnsafeSlow(256 * 1024);
  #busyTime = new BusyTime();
  readonly #packages: CpuPackages | undefined;
  #packageTime: PackageBusyTime | undefined;
  #forks = NaN;
  #interruptTicks = 0;
  #firstInterruptTicks = NaN;
  /** Busy nanoseconds of each package since the first reading; none where they are not told apart. */
  packageBusyNs: readonly number[] = [];

  /**
   * @param procfs where procfs is mounted
   * @param packages those that are told apart
   * @throws Error when its `stat` may not be opened
   */
  constructor(procfs: string, packages?: CpuPackages) {
    this.#fd = openRegularFile(`${procfs}/stat`);
    this.#packages = packages;
    this.restart();
  }

  /**
   * @param monotonicNs CLOCK_MONOTONIC, read immediately before this call
   * @returns busy nanoseconds since the first reading, never less than the last time
   */
  read(monotonicNs: bigint): number {
    const stat = this.#buffer.subarray(0, readWhole(this.#fd, this.#buffer));
    this.#forks = parseForks(stat);
    const times = parseCpuTimes(stat);
    this.#interruptTicks = times.total.irq + times.total.softirq;
    if (Number.isNaN(this.#firstInterruptTicks)) this.#firstInterruptTicks = this.#interruptTicks;
    if (this.#packageTime) this.packageBusyNs = this.#packageTime.update(times, monotonicNs);
    return this.#busyTime.update(times, monotonicNs);
  }

  /** Nanoseconds in interrupts since the first reading, as the kernel counts them. */
  get interruptNs(): number {
    return Math.max(0, this.#interruptTicks - this.#firstInterruptTicks) * tickNs;
  }

  /** How many processes and threads had been born at the last reading; NaN when that is not known. */
  get forks(): number {
    return this.#forks;
  }

  /** Counts from 0 again, beginning with the next reading. */
  restart(): void {
    this.#busyTime = new BusyTime();
    this.#firstInterruptTicks = NaN;
    this.#packageTime = this.#packages && new PackageBusyTime(this.#packages);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
