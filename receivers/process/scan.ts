import type { BudgetedFile } from '../../src/linux/budgeted-file.js';
import { tickNs } from '../../src/linux/procfs.js';
import type { Series } from '../../src/model/series.js';

/** Start of a scan, on the relevant clocks. */
export interface ScanInstant {
  /** Unix time in nanoseconds. */
  readonly wallNs: bigint;
  /** CLOCK_BOOTTIME in nanoseconds, the clock of process start times. */
  readonly bootNs: bigint;
  /** Unix time at which the CPU time of all processes was read at once, in nanoseconds. */
  readonly readNs?: bigint;
}

/** A failed read of a process that could be read before. */
export interface FailedRead {
  readonly path: string;
  /** An errno, or the reason why the text is invalid. */
  readonly problem: string;
  readonly points: number;
}

/** One pass over all processes: when it began, and what it found. */
export class Scan {
  /** Number of the scan, counted from 1. */
  readonly number: number;
  readonly at: ScanInstant;
  /** The number of the last scan that listed the processes: this one, unless no process can have started since. */
  readonly listing: number;
  /** Series that have no further row. */
  readonly ended: Series[] = [];
  /** Why known processes could not be read, and how many values are missing as a result. */
  readonly failed: FailedRead[] = [];
  /** New processes that could not be read. */
  readonly refused: number[] = [];
  readonly #previous: ScanInstant | undefined;

  /** @param previous the previous scan, if the rows of this scan continue its series */
  constructor(at: ScanInstant, previous: ScanInstant | undefined, numbers = { number: 1, listing: 1 }) {
    this.at = at;
    this.number = numbers.number;
    this.listing = numbers.listing;
    this.#previous = previous;
  }

  /** Whether it listed the processes. */
  get isListing(): boolean {
    return this.number === this.listing;
  }

  /** Whether all series start in this scan. */
  get isFirst(): boolean {
    return this.#previous === undefined;
  }

  /** Notes that a known process could not be read. @param points the number of missing values */
  noteFailure(
    { path, errorCode: problem = 'its text is not what was expected' }: BudgetedFile,
    points: number,
  ): void {
    this.failed.push({ path, problem, points });
  }

  /**
   * Finds the Unix time, in nanoseconds, at which a process started, if that was since the previous scan: then
   * all its CPU time belongs to this window.
   * @returns undefined for an older process that was not seen before: it counts from now
   */
  findBirth(startTicks: number): bigint | undefined {
    const bornNs = BigInt(startTicks) * BigInt(tickNs);
    if (this.#previous === undefined || bornNs + BigInt(tickNs) < this.#previous.bootNs) return undefined;
    const wallNs = this.at.wallNs - (this.at.bootNs - bornNs);
    // The kernel rounds start times down to a tick.
    return wallNs > this.#previous.wallNs ? wallNs : this.#previous.wallNs;
  }
}
