import { elementAt } from '../element.js';
import type { Clock } from '../linux/clock.js';
import { createPlans } from '../model/plan.js';

/** A tick that a scrape loop waits for or is scraping. */
class Turn {
  readonly atNs: bigint;
  /** Fulfilled when the scrape of this tick is done or cancelled. */
  readonly done: Promise<void>;
  #finish: () => void = () => {};

  constructor(atNs: bigint) {
    this.atNs = atNs;
    this.done = new Promise((resolve) => (this.#finish = resolve));
  }

  finish(): void {
    this.#finish();
  }
}

/**
 * The phases of a tick that several loops share, first to last: what completes the usage of processes
 * (cgroups), that usage, whose busy time closes the window (docs/ledger.md, Usage), and everything else, for
 * example meters.
 */
const phases = ['completion', 'usage', 'other'] as const;

/** The phase of a scrape loop on a tick that it shares with others. */
export type ScrapePhase = (typeof phases)[number];

/**
 * The order of the scrape loops of one collector on a tick that they share: by phase, and within a phase by
 * start. With timers alone the order would vary, and a meter that is read sometimes before and sometimes after
 * the usage scan makes the ledger lag by a window at times.
 */
export class ScrapeOrder {
  readonly #turns: (Turn | undefined)[] = [];
  readonly #phases: number[] = [];

  /** @returns the place of a loop that is starting */
  join(phase: ScrapePhase = 'other'): number {
    this.#phases.push(phases.indexOf(phase));
    return this.#turns.push(undefined) - 1;
  }

  /** A loop announces its next tick. */
  announce(place: number, atNs: bigint): void {
    this.finish(place);
    this.#turns[place] = new Turn(atNs);
  }

  /**
   * Waits until every loop in front of this one is done with the tick that this one announced, if it shares the
   * tick.
   */
  async wait(place: number): Promise<void> {
    const atNs = this.#turns[place]?.atNs;
    if (atNs === undefined) return;
    for (const [other, turn] of this.#turns.entries()) {
      if (turn && turn.atNs <= atNs && this.#comesBefore(other, place)) await turn.done;
    }
  }

  /** A loop is done with the tick that it announced, or with all ticks. */
  finish(place: number): void {
    this.#turns[place]?.finish();
    this.#turns[place] = undefined;
  }

  #comesBefore(other: number, place: number): boolean {
    const distance = elementAt(this.#phases, other) - elementAt(this.#phases, place);
    return distance === 0 ? other < place : distance < 0;
  }
}

/** The order of the loops that share a clock, that is, of one collector. */
export const orderOf = createPlans((_clock: Clock) => new ScrapeOrder());

/** Waits until every loop of a collector has done the scrapes that are due, for example its first one. */
export async function waitForDueScrapes(clock: Clock): Promise<void> {
  const order = orderOf(clock);
  const place = order.join();
  order.announce(place, clock.wallNs());
  await order.wait(place);
  order.finish(place);
}
