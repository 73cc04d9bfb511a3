import type { Window } from './domain-windows.js';
import type { FloorLearner } from './floor-learner.js';

/** Where the floor of a domain comes from. Not known: it has no floor at all. */
export type FloorSource = 'set' | 'model' | 'learned';

/** The power of a domain when nothing runs. */
export interface Floor {
  readonly watts: number;
  readonly source: FloorSource;
}

/** The floor of a domain: what the user says, else what its model says, else what was learned. */
export class DomainFloor {
  readonly #setWatts: number | undefined;
  readonly #learner: FloorLearner | undefined;
  #modelWatts: number | undefined;
  #current: Floor | undefined;

  /** @param learner undefined: it cannot be learned */
  constructor(setWatts: number | undefined, learner: FloorLearner | undefined) {
    this.#setWatts = setWatts;
    this.#learner = learner;
    this.#choose();
  }

  /** Undefined: not known. The same object for as long as it stays the same. */
  get current(): Floor | undefined {
    return this.#current;
  }

  /** Whether more quiet windows can make it known. */
  get isLearnable(): boolean {
    return this.#learner !== undefined;
  }

  /** The domain's model says how much it uses when idle; NaN: it does not say now. */
  takeModel(watts: number): void {
    if (Number.isNaN(watts) || watts === this.#modelWatts) return;
    this.#modelWatts = watts;
    this.#choose();
  }

  /** Learns from a window that has been settled. */
  observe({ from, to, energyNj, refreshNs, usage }: Window): void {
    if (this.#learner === undefined) return;
    if (usage.isGap) return this.#learner.interrupt();
    this.#learner.observe({ durationNs: to - from, energyNj, busyNs: usage.busyNs }, refreshNs);
    this.#choose();
  }

  #choose(): void {
    const floor = this.#find();
    if (floor.watts === this.#current?.watts && floor.source === this.#current?.source) return;
    this.#current = floor.watts === undefined ? undefined : { watts: floor.watts, source: floor.source };
  }

  #find(): { readonly watts: number | undefined; readonly source: FloorSource } {
    if (this.#setWatts !== undefined) return { watts: this.#setWatts, source: 'set' };
    if (this.#modelWatts !== undefined) return { watts: this.#modelWatts, source: 'model' };
    return { watts: this.#learner?.watts, source: 'learned' };
  }
}
