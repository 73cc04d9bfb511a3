import { setTimeout } from 'node:timers/promises';
import type { Log } from '../component/log.js';
import { describeError } from '../errors.js';
import type { Clock } from '../linux/clock.js';
import { readTickNs } from '../linux/clocks.js';
import { waitForDueScrapes } from '../scraping/scrape-order.js';
import type { RunningReceiver } from './running-receiver.js';

/** The ledger's windows span at least this many ticks of CPU time (docs/ledger.md, Windows). */
const minTicks = 25;
/** A meter is read this much later than the usage that starts its window, and timers may fire early. */
const marginMs = 10;

/** The properties of a receiver that decide when it is read. */
type Read = Pick<RunningReceiver, 'component' | 'readsUsage' | 'readsEnergy'>;

/**
 * Ends the first window of the ledger soon after the first readings, so that energy is known a fraction of a
 * second after the start instead of at the next tick of the slowest receiver. Later windows end at the ticks of
 * the wall clock.
 */
export class FirstWindow {
  readonly #receivers: readonly Read[];
  readonly #log: Log;
  readonly #aborter = new AbortController();

  constructor(receivers: readonly Read[], log: Log) {
    this.#receivers = receivers;
    this.#log = log;
  }

  /** Reads everything again once the first window is long enough. Never rejects. */
  async end(clock: Clock): Promise<void> {
    try {
      await waitForDueScrapes(clock);
      const { signal } = this.#aborter;
      await setTimeout(findShortestMs(), undefined, { signal });
      await this.#readAll();
    } catch (error) {
      if (!this.#aborter.signal.aborted)
        this.#log.warn(`Cannot take the second readings: ${describeError(error)}`);
    }
  }

  /** Starts no further readings. */
  abort(): void {
    this.#aborter.abort();
  }

  /**
   * The ledger ends a window at a usage reading that follows a change of the meter and precedes a reading of
   * it: meters are read before and after the usage.
   */
  async #readAll(): Promise<void> {
    const usage = this.#receivers.filter(({ readsUsage }) => readsUsage);
    const others = this.#receivers.filter(({ readsUsage }) => !readsUsage);
    const meters = others.filter(({ readsEnergy }) => readsEnergy);
    for (const receivers of [others, usage, meters]) {
      this.#aborter.signal.throwIfAborted();
      await Promise.all(receivers.map(async ({ component }) => component.flush?.()));
    }
  }
}

function findShortestMs(): number {
  return Math.ceil((minTicks * readTickNs()) / 1e6) + marginMs;
}
