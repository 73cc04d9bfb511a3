import { closeSync } from 'node:fs';
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
    const toleranceNs = 6 * tickNs + cpus * 2 * tickNs;
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

/** Reads the busy time of the machine again and again, through one descriptor. Must be closed. */
export class BusyTimeReader {
  readonly #fd: number;
  // Holds the CPU lines of 2,000 CPUs at least.
  readonly #buffer = Buffer.allocUnsafeSlow(256 * 1024);
  #busyTime = new BusyTime();
  #forks = NaN;

  /**
   * @param procfs where procfs is mounted
   * @throws Error when its `stat` may not be opened
   */
  constructor(procfs: string) {
    this.#fd = openRegularFile(`${procfs}/stat`);
  }

  /**
   * @param monotonicNs CLOCK_MONOTONIC, read immediately before this call
   * @returns busy nanoseconds since the first reading, never less than the last time
   */
  read(monotonicNs: bigint): number {
    const stat = this.#buffer.subarray(0, readWhole(this.#fd, this.#buffer));
    this.#forks = parseForks(stat);
    return this.#busyTime.update(parseCpuTimes(stat), monotonicNs);
  }

  /** How many processes and threads had been born at the last reading; NaN when that is not known. */
  get forks(): number {
    return this.#forks;
  }

  /** Counts from 0 again, beginning with the next reading. */
  restart(): void {
    this.#busyTime = new BusyTime();
  }

  close(): void {
    closeSync(this.#fd);
  }
}
