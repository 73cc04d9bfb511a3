import type { Clock } from '../linux/clock.js';

/** A tick in the future. */
export interface NextTick {
  /** Its Unix time in nanoseconds. */
  readonly atNs: bigint;
  /** How many ticks before it passed unused. */
  readonly missed: number;
}

/** The ticks of a scrape loop: the multiples of its interval on the wall clock, which are the same for all agents. */
export class ScrapeTicks {
  readonly #intervalNs: bigint;
  #last: bigint;

  /** @param wallNs now: the tick that it belongs to counts as used */
  constructor(intervalNs: bigint, wallNs: bigint) {
    this.#intervalNs = intervalNs;
    this.#last = wallNs / intervalNs;
  }

  /** Resets the position after the wall clock was stepped. */
  realign(wallNs: bigint): void {
    this.#last = wallNs / this.#intervalNs;
  }

  /**
   * Advances to the first tick in the future.
   * @param ticks minimum distance from the last one: ticks skipped on purpose are not missed
   */
  advance(wallNs: bigint, ticks = 1): NextTick {
    const earliest = this.#last + BigInt(ticks);
    const future = wallNs / this.#intervalNs + 1n;
    // Slewing can leave the wall clock just short of the tick at the end of a monotonic wait.
    this.#last = future > earliest ? future : earliest;
    return { atNs: this.#last * this.#intervalNs, missed: Number(this.#last - earliest) };
  }
}

function createTicks(intervalMs: number, clock: Clock): ScrapeTicks {
  return new ScrapeTicks(BigInt(Math.round(intervalMs * 1e6)), clock.wallNs());
}

/** Later than any clock of this machine, in nanoseconds. */
const never = 2n ** 63n;

/** Waits for the ticks of one loop. */
export class TickTimer {
  readonly #clock: Clock;
  #ticks: ScrapeTicks;
  #deadlineNs = 0n;
  #isStopped = false;
  #isInterrupted = false;
  #wake: () => void = () => {};

  constructor(intervalMs: number, clock: Clock) {
    this.#clock = clock;
    this.#ticks = createTicks(intervalMs, clock);
  }

  /** Remaining wait in milliseconds. */
  get leftMs(): number {
    return Number(this.#deadlineNs - this.#clock.monotonicNs()) / 1e6;
  }

  /** Waits for ticks of another interval from the next `advance` on, and ends the current wait. */
  setInterval(intervalMs: number): void {
    this.#ticks = createTicks(intervalMs, this.#clock);
    this.interrupt();
  }

  /** Resets the position after the wall clock was stepped. */
  realign(): void {
    this.#ticks.realign(this.#clock.wallNs());
  }

  /** Chooses the tick to wait for: the first one in the future that is at least this many after the last one. */
  advance(ticks = 1): NextTick {
    const wallNs = this.#clock.wallNs();
    const next = this.#ticks.advance(wallNs, ticks);
    this.#deadlineNs = this.#clock.monotonicNs() + next.atNs - wallNs;
    return next;
  }

  /** Makes the wait last until it is interrupted. */
  hold(): void {
    this.#deadlineNs = never;
  }

  /**
   * Waits for the chosen tick.
   * @returns false if it was interrupted or stopped before
   */
  async wait(): Promise<boolean> {
    // A timer may fire up to a millisecond early.
    while (!this.#isStopped && !this.#isInterrupted) {
      const leftMs = Math.ceil(this.leftMs);
      if (leftMs <= 0) return true;
      await this.#sleep(leftMs);
    }
    this.#isInterrupted = false;
    return false;
  }

  /** Ends the current wait or, outside of one, the next. */
  interrupt(): void {
    this.#isInterrupted = true;
    this.#wake();
  }

  /** Ends the current wait and all later ones. */
  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      // Waits longer than the maximum of a timer (24 days) are split.
      const timer = setTimeout(resolve, Math.min(ms, 0x7fff_ffff));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
