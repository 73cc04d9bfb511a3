import type { Fault } from './fault.js';

interface Pause {
  /** Time awake at which it starts. */
  readonly atUs: number;
  /** Total duration of all pauses up to and including this one. */
  readonly totalUs: number;
  readonly forUs: number;
}

/** Converts between simulated time, which includes suspends, and time awake. In microseconds. */
export class Timeline {
  readonly #pauses: readonly Pause[];

  constructor(faults: readonly Fault[]) {
    let totalUs = 0;
    this.#pauses = joinSuspends(faults).map(({ atUs, forUs }) => {
      totalUs += forUs;
      return { atUs: atUs - (totalUs - forUs), totalUs, forUs };
    });
  }

  /** Time awake until an instant of simulated time. */
  awakeAt(us: number): number {
    let pausedUs = 0;
    for (const { atUs, totalUs, forUs } of this.#pauses) {
      const beginsUs = atUs + totalUs - forUs;
      if (us <= beginsUs) break;
      pausedUs = totalUs - forUs + Math.min(forUs, us - beginsUs);
    }
    return us - pausedUs;
  }

  /** The instant of simulated time at which the machine had been awake for this long. */
  simulatedAt(awakeUs: number): number {
    const before = this.#pauses.findLast(({ atUs }) => atUs < awakeUs);
    return awakeUs + (before?.totalUs ?? 0);
  }

  isSuspended(us: number): boolean {
    return this.#pauses.some(
      ({ atUs, totalUs, forUs }) => us < atUs + totalUs && us >= atUs + totalUs - forUs,
    );
  }
}

/** The suspends of the machine, in order; adjacent ones are joined. */
function joinSuspends(faults: readonly Fault[]): readonly Pick<Fault, 'atUs' | 'forUs'>[] {
  const joined: { atUs: number; forUs: number }[] = [];
  const suspends = faults.filter(({ kind }) => kind === 'suspend');
  for (const { atUs, forUs } of suspends.toSorted((a, b) => a.atUs - b.atUs)) {
    const last = joined.at(-1);
    if (last === undefined || atUs > last.atUs + last.forUs) joined.push({ atUs, forUs });
    else last.forUs = Math.max(last.forUs, atUs + forUs - last.atUs);
  }
  return joined;
}
