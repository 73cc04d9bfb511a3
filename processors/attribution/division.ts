import type { Config } from './config.js';
import type { Window } from './domain-windows.js';
import { IdleSplit } from './idle.js';
import { share, sum } from './sharing.js';

/** Why energy is nobody's: nobody saw who used it, nobody used anything, or the usage is not known. */
export type Reason = 'unseen' | 'no_usage' | 'gap';

/** Where the energy of a window goes: whole nanojoules that add up to it. */
export interface Division {
  readonly idleNj: number;
  readonly attributedNj: number;
  readonly unattributedNj: number;
  readonly reason: Reason;
}

/** Divides the energy of one domain's windows (ledger.md sections 3 and 4). */
export class Divider {
  /** What each consumer of the last window gets. Valid until the next window. */
  readonly shares: number[] = [];
  readonly #idle: Config['idle'];
  readonly #isExplained: boolean;
  readonly #split = new IdleSplit();
  readonly #idleShares: number[] = [];

  /** @param isExplained whether CPU time explains who uses the energy */
  constructor(idle: Config['idle'], isExplained: boolean) {
    this.#idle = idle;
    this.#isExplained = isExplained;
  }

  /** @param floorWatts undefined: not known, so that no energy is told to be idle */
  divide(window: Window, floorWatts: number | undefined): Division {
    const { energyNj, usage } = window;
    const wholeNs = Math.max(usage.busyNs, sum(usage.cpuNs));
    const isShared = this.#isExplained && !usage.isGap && wholeNs > 0;
    const floorNj = floorWatts === undefined ? 0 : this.#splitIdle(window, floorWatts);
    const idleNj = this.#idle === 'proportional' && isShared ? 0 : floorNj;
    const sharedNj = isShared
      ? share(energyNj - idleNj, usage.cpuNs, wholeNs, this.shares)
      : clear(this.shares, usage.consumers.length);
    const borneNj = this.#idle === 'equal' && this.#isExplained ? this.#shareIdle(window, idleNj) : 0;
    return {
      idleNj: idleNj - borneNj,
      attributedNj: sharedNj + borneNj,
      unattributedNj: energyNj - idleNj - sharedNj,
      reason: isShared ? 'unseen' : usage.isGap ? 'gap' : 'no_usage',
    };
  }

  #splitIdle({ from, to, energyNj, refreshNs }: Window, floorWatts: number): number {
    // Watts times nanoseconds are nanojoules.
    return this.#split.split(energyNj, floorWatts * (to - from), floorWatts * refreshNs);
  }

  /** @returns how much of the idle energy the consumers bear by their lifetimes: all, where there are any */
  #shareIdle({ usage: { lifeNs } }: Window, idleNj: number): number {
    const wholeNs = sum(lifeNs);
    if (wholeNs === 0) return 0;
    const borneNj = share(idleNj, lifeNs, wholeNs, this.#idleShares);
    for (let i = 0; i < lifeNs.length; i++) this.shares[i] += this.#idleShares[i];
    return borneNj;
  }
}

function clear(shares: number[], count: number): 0 {
  for (let i = 0; i < count; i++) shares[i] = 0;
  return 0;
}
