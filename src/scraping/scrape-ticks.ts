import type { Clock } from '../linux/clock.js';

/** A tick that lies in the future. */
export interface NextTick {
  /** Its Unix time in nanoseconds. */
  readonly atNs: bigint;
  /** How many ticks before it went by unused. */
  readonly missed: number;
}

/** The ticks of a scrape loop: the multiples of its interval on the wall clock, so that all agents agree on them. */
export class ScrapeTicks {
  readonly #intervalNs: bigint;
  #last: bigint;

  /** @param wallNs now: the tick that it belongs to counts as taken */
  constructor(intervalNs: bigint, wallNs: bigint) {
    this.#intervalNs = intervalNs;
    this.#last = wallNs / intervalNs;
  }

  /** Forgets where it stood, since the wall clock was stepped. */
  realign(wallNs: bigint): void {
    this.#last = wallNs / this.#intervalNs;
  }

  /**
   * Moves on to the first tick that lies in the future.
   * @param ticks at least this many after the last one: those that are left out on purpose are not missed
   */
  advance(wallNs: bigint, ticks = 1): NextTick {
    const earliest = this.#last + BigInt(ticks);
    const future = wallNs / this.#intervalNs + 1n;
    // Slewing can leave the wall clock just short of the tick that was waited for by the monotonic clock.
    this.#last = future > earliest ? future : earliest;
    return { atNs: this.#last * this.#intervalNs, missed: Number(this.#last - earliest) };
  }
}

/** Waits for the ticks of one loop. */
export class TickTimer {
  readonly #clock: Clock;
  readonly #ticks: ScrapeTicks;
  #deadlineNs = 0n;
  #isStopped = false;
  #wake: () => void = () => {};

  constructor(intervalMs: number, clock: Clock) {
    this.#clock = clock;
    this.#ticks = new ScrapeTicks(BigInt(Math.round(intervalMs * 1e6)), clock.wallNs());
  }

  /** Forgets where it stood, since the wall clock was stepped. */
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

  /** Waits for the tick that was chosen, or until it is stopped. */
  async wait(): Promise<void> {
    // A timer may fire up to a millisecond early.
    while (!this.#isStopped) {
      const leftMs = Math.ceil(Number(this.#deadlineNs - this.#clock.monotonicNs()) / 1e6);
      if (leftMs <= 0) return;
      await this.#sleep(leftMs);
    }
  }

  /** Ends the wait, and every later one. */
  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      // Longer waits than a timer takes (24 days) are waited for in parts.
      const timer = setTimeout(resolve, Math.min(ms, 0x7fff_ffff));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
