import type { Fault } from './fault.js';

interface Pause {
  /** Time awake at which it begins. */
  readonly atUs: number;
  /** How long the pauses up to here took, this one included. */
  readonly totalUs: number;
  readonly forUs: number;
}

/** Simulated time, in which the machine may be suspended, against the time that it was awake. In microseconds. */
export class Timeline {
  readonly #pauses: readonly Pause[];

  constructor(faults: readonly Fault[]) {
    const suspends = faults.filter(({ kind }) => kind === 'suspend').toSorted((a, b) => a.atUs - b.atUs);
    const pauses: Pause[] = [];
    let totalUs = 0;
    for (const { atUs, forUs } of suspends) {
      pauses.push({ atUs: atUs - totalUs, totalUs: totalUs + forUs, forUs });
      totalUs += forUs;
    }
    this.#pauses = pauses;
  }

  /** How long the machine was awake until an instant of simulated time. */
  awakeAt(us: number): number {
    let pausedUs = 0;
    for (const { atUs, totalUs, forUs } of this.#pauses) {
      const beginsUs = atUs + totalUs - forUs;
      if (us <= beginsUs) break;
      pausedUs = totalUs - forUs + Math.min(forUs, us - beginsUs);
    }
    return us - pausedUs;
  }

  /** The instant of simulated time at which the machine had been awake for so long. */
  simulatedAt(awakeUs: number): number {
    const before = this.#pauses.findLast(({ atUs }) => atUs < awakeUs);
    return awakeUs + (before?.totalUs ?? 0);
  }

  /** The last instant at which a suspended machine woke up, 0 if it never was. */
  lastWakeUs(us: number): number {
    const last = this.#pauses.findLast(({ atUs, totalUs }) => atUs + totalUs <= us);
    return last === undefined ? 0 : last.atUs + last.totalUs;
  }

  isSuspended(us: number): boolean {
    return this.#pauses.some(
      ({ atUs, totalUs, forUs }) => us < atUs + totalUs && us >= atUs + totalUs - forUs,
    );
  }
}
