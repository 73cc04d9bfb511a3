import { portion, share } from '../../src/energy/share.js';
import type { Usage } from '../../src/usage/usage.js';
import type { Window } from '../../src/usage/windows.js';
import type { Config } from './config.js';

/** Why energy is unattributed: its user was not seen, nothing was used, or the usage is not known. */
export type Reason = 'unseen' | 'no_usage' | 'gap';

/** The parts of a window's energy: whole nanojoules that add up to it. */
export interface Parts {
  /** All energy except idle energy, however it is attributed. */
  readonly aboveFloorNj: number;
  readonly idleNj: number;
  readonly attributedNj: number;
  readonly unattributedNj: number;
  /** The part of it that interrupts used. */
  readonly interruptNj: number;
  readonly reason: Reason;
  /** The energy shared by usage: 0 where nothing was used, or the usage is not known. */
  readonly dynamicNj: number;
  /** The whole usage, by known and unknown workloads. */
  readonly wholeNs: number;
}

/** Splits the energy of one domain's windows into parts and shares (docs/ledger.md, Idle energy and Sharing). */
export class Split {
  /** Energy of each workload of the last window. Valid until the next window. */
  readonly shares: number[] = [];
  /** The largest fraction of the weights that one workload of the last window had, 0 to 1. */
  topShare = 0;
  readonly #idle: Config['idle'];
  readonly #idleSplit = new IdleSplit();
  readonly #idleShares: number[] = [];

  constructor(idle: Config['idle']) {
    this.#idle = idle;
  }

  /** The unused allowance of the floor. */
  get carryNj(): number {
    return this.#idleSplit.carryNj;
  }

  /** @param floorWatts undefined: not known, so that no energy counts as idle */
  apply(window: Window, floorWatts: number | undefined): Parts {
    const { energyNj, usage } = window;
    const wholeNs = Math.max(usage.busyNs, sum(usage.cpuNs));
    const isShared = !usage.isGap && wholeNs > 0;
    this.topShare = isShared ? largest(usage.cpuNs) / wholeNs : 1;
    const floorNj = floorWatts === undefined ? 0 : this.#splitIdle(window, floorWatts);
    const idleNj = this.#idle === 'proportional' && isShared ? 0 : floorNj;
    const sharedNj = isShared
      ? share(energyNj - idleNj, usage.cpuNs, wholeNs, this.shares)
      : clear(this.shares, usage.workloads.length);
    const borneNj = this.#idle === 'equal' ? this.#shareIdle(window, idleNj) : 0;
    return {
      aboveFloorNj: energyNj - floorNj,
      idleNj: idleNj - borneNj,
      attributedNj: sharedNj + borneNj,
      unattributedNj: energyNj - idleNj - sharedNj,
      interruptNj: isShared ? findInterrupts(usage, { energyNj: energyNj - idleNj, sharedNj, wholeNs }) : 0,
      reason: isShared ? (usage.restReason ?? 'unseen') : usage.isGap ? 'gap' : 'no_usage',
      dynamicNj: isShared ? energyNj - idleNj : 0,
      wholeNs,
    };
  }

  #splitIdle({ from, to, energyNj, refreshNs }: Window, floorWatts: number): number {
    // Watts times nanoseconds gives nanojoules.
    return this.#idleSplit.apply(energyNj, floorWatts * (to - from), floorWatts * refreshNs);
  }

  /**
   * @returns how much of the idle energy is shared among the workloads by their lifetimes: all, if there are
   * any workloads
   */
  #shareIdle({ usage: { lifeNs } }: Window, idleNj: number): number {
    const wholeNs = sum(lifeNs);
    if (wholeNs === 0) return 0;
    const borneNj = share(idleNj, lifeNs, wholeNs, this.#idleShares);
    for (let i = 0; i < lifeNs.length; i++) this.shares[i] += this.#idleShares[i];
    return borneNj;
  }
}

/**
 * Splits the energy of windows into idle and dynamic energy by a floor. The small carry keeps the noise of windows near
 * the refresh interval from being counted as dynamic energy; a large one would swallow bursts.
 */
export class IdleSplit {
  #carryNj = 0;

  get carryNj(): number {
    return this.#carryNj;
  }

  /**
   * @param energyNj whole nanojoules of the window
   * @param floorNj energy at floor power in the window
   * @param refreshNj energy at floor power in one refresh interval of the meter
   * @returns whole nanojoules of idle energy
   */
  apply(energyNj: number, floorNj: number, refreshNj: number): number {
    const allowedNj = this.#carryNj + floorNj;
    const idleNj = Math.min(energyNj, Math.floor(allowedNj));
    this.#carryNj = Math.min(allowedNj - idleNj, 2 * refreshNj);
    return idleNj;
  }
}

/** The share of interrupts in the energy that is shared: at most what remains of it. */
function findInterrupts(
  { interruptNs = 0, cpuNs }: Usage,
  { energyNj, sharedNj, wholeNs }: { energyNj: number; sharedNj: number; wholeNs: number },
): number {
  if (interruptNs === 0) return 0;
  const usedNs = Math.min(interruptNs, wholeNs - sum(cpuNs));
  return Math.min(energyNj - sharedNj, portion(energyNj, usedNs, wholeNs));
}

/** The sum of integers. */
function sum(parts: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < parts.length; i++) total += parts[i];
  return total;
}

function largest(parts: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < parts.length; i++) if (parts[i] > most) most = parts[i];
  return most;
}

function clear(shares: number[], count: number): 0 {
  for (let i = 0; i < count; i++) shares[i] = 0;
  return 0;
}
