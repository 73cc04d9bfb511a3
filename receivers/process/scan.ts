import { tickNs } from '../../src/linux/procfs.js';
import type { Series } from '../../src/model/series.js';

/** The instant at which a scan began, on the clocks that matter. */
export interface ScanInstant {
  /** Unix time in nanoseconds. */
  readonly wallNs: bigint;
  /** CLOCK_BOOTTIME in nanoseconds: the clock of births. */
  readonly bootNs: bigint;
  /** Unix time at which the CPU time of all processes was read at once, in nanoseconds. */
  readonly readNs?: bigint;
}

/** A file of a process that was read before. */
export interface FailedRead {
  readonly path: string;
  /** An errno, or what is wrong with the text. */
  readonly problem: string;
  readonly points: number;
}

/** One pass over all processes: what began it, and what it found to have ended. */
export class Scan {
  /** Counts scans, from 1 on. */
  readonly number: number;
  readonly at: ScanInstant;
  /** The number of the last scan that listed the processes: this one, unless no process can have been born. */
  readonly listing: number;
  /** Series that have no further row from here on. */
  readonly ended: Series[] = [];
  /** Why processes that are known could not be read, and how many values are missing for that. */
  readonly failed: FailedRead[] = [];
  /** New processes that could not be read. */
  readonly refused: number[] = [];
  readonly #previous: ScanInstant | undefined;

  /** @param previous the scan before, where its rows connect with those of this one */
  constructor(at: ScanInstant, previous: ScanInstant | undefined, numbers = { number: 1, listing: 1 }) {
    this.at = at;
    this.number = numbers.number;
    this.listing = numbers.listing;
    this.#previous = previous;
  }

  /** Whether it has listed the processes. */
  get isListing(): boolean {
    return this.number === this.listing;
  }

  /** Whether every series starts again: there is nothing before that it could connect with. */
  get isFirst(): boolean {
    return this.#previous === undefined;
  }

  /**
   * Finds the Unix time, in nanoseconds, at which a process was born, if that happened since the scan before:
   * then all that it used since belongs to this window.
   * @returns undefined for a process that is older: it was there and went unseen, and counts from now on
   */
  findBirth(startTicks: number): bigint | undefined {
    const bornNs = BigInt(startTicks) * BigInt(tickNs);
    if (this.#previous === undefined || bornNs + BigInt(tickNs) < this.#previous.bootNs) return undefined;
    const wallNs = this.at.wallNs - (this.at.bootNs - bornNs);
    // The kernel cuts births to the tick before.
    return wallNs > this.#previous.wallNs ? wallNs : this.#previous.wallNs;
  }
}
