import { setTimeout } from 'node:timers/promises';
import type { Log } from '../component/log.js';
import { describeError } from '../errors.js';
import type { Clock } from '../linux/clock.js';
import { readTickNs } from '../linux/clocks.js';
import { waitForDueScrapes } from '../scraping/scrape-order.js';
import type { RunningReceiver } from './running-receiver.js';

/** The ledger has no window of fewer ticks of the CPU time (docs/ledger.md, Windows). */
const minTicks = 25;
/** A meter is read that much later than the usage whose window it begins, and timers fire early. */
const marginMs = 10;

/** What of a receiver decides when it is read. */
type Read = Pick<RunningReceiver, 'component' | 'readsUsage' | 'readsEnergy'>;

/**
 * Ends the first window of the ledger soon after the first readings: joules are known a fraction of a second after the
 * start, not only at the next tick of the slowest receiver. The windows that follow end at the ticks of the wall clock.
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

  /** Reads nothing that is not being read already. */
  abort(): void {
    this.#aborter.abort();
  }

  /**
   * The ledger cuts a window at a reading of the usage with a change of the meter before it, and a reading of the meter
   * behind it: meters are read before and after the usage.
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
