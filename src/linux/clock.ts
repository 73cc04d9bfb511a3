import { readClocks, type ClockReading } from './clocks.js';

/** The time, for scrapers and all other code on the main thread. */
export interface Clock {
  /** Unix time in nanoseconds that never runs backwards: CLOCK_MONOTONIC plus a slewed anchor. */
  wallNs(): bigint;
  /** CLOCK_MONOTONIC in nanoseconds. */
  monotonicNs(): bigint;
  /**
   * Compares the clocks again. Call it before each scrape.
   * @returns a number that differs from the last one exactly when the wall clock was stepped by more than 50 ms
   * or the machine was suspended: readings before and after are not comparable, so series end and restart
   */
  countBreaks(): number;
  /** CLOCK_BOOTTIME in nanoseconds, if it is not the kernel's own, as on a fake machine. */
  bootNs?(): bigint;
}

/**
 * How the clocks compare with the last time: `same`; the wall clock was set by more than 50 ms (`stepped`); or
 * the machine was suspended, so that what happened in between is unknown (`suspended`).
 */
export type Continuity = 'same' | 'stepped' | 'suspended';

const stepNs = 50_000_000n;
/** No suspend is shorter, and no clock reading is off by as much. */
const sleepNs = 1_000_000n;
/** Two readings of the clocks may differ by this although the clock was not set. */
const noiseNs = 10_000n;
/** While wall time is corrected it runs at most 0.5 % fast or slow: 50 ms take 10 s. */
const slewRatio = 200n;

/**
 * Converts CLOCK_MONOTONIC to Unix time that never runs backwards, except at a step or a suspend: a clock that
 * was set by up to 50 ms is followed slowly. The kernel disciplines both clocks alike, so that their difference
 * changes only when someone sets the time.
 */
export class WallAnchor {
  #anchorNs = 0n;
  #sinceNs = 0n;
  #slewNs = 0n;
  #bootNs = 0n;

  constructor(reading: ClockReading) {
    this.#reset(reading);
  }

  /** Whether the difference of wall time and monotonic time is constant until the next `update`. */
  get isConstant(): boolean {
    return this.#slewNs === 0n;
  }

  /** Unix time at an instant of CLOCK_MONOTONIC that is not before the last `update`; nanoseconds both. */
  wallNs(monotonicNs: bigint): bigint {
    return monotonicNs + this.#anchorAt(monotonicNs);
  }

  /** Compares the clocks again. The next `wallNs` uses this reading, whatever the result. */
  update(reading: ClockReading): Continuity {
    if (abs(deviation(this.#bootNs, reading.boottimeNs, reading)) > sleepNs) {
      this.#reset(reading);
      return 'suspended';
    }
    const anchorNs = this.#anchorAt(reading.afterNs);
    const deviationNs = deviation(anchorNs, reading.realtimeNs, reading);
    if (abs(deviationNs) > stepNs) {
      this.#reset(reading);
      return 'stepped';
    }
    this.#anchorNs = anchorNs;
    this.#sinceNs = reading.afterNs;
    this.#slewNs = abs(deviationNs) > noiseNs ? deviationNs : 0n;
    return 'same';
  }

  #reset(reading: ClockReading): void {
    const middleNs = (reading.beforeNs + reading.afterNs) / 2n;
    this.#anchorNs = reading.realtimeNs - middleNs;
    this.#bootNs = reading.boottimeNs - middleNs;
    this.#sinceNs = reading.afterNs;
    this.#slewNs = 0n;
  }

  #anchorAt(monotonicNs: bigint): bigint {
    if (this.#slewNs === 0n) return this.#anchorNs;
    const possibleNs = (monotonicNs - this.#sinceNs) / slewRatio;
    if (possibleNs >= abs(this.#slewNs)) return this.#anchorNs + this.#slewNs;
    return this.#slewNs > 0n ? this.#anchorNs + possibleNs : this.#anchorNs - possibleNs;
  }
}

/**
 * The certain deviation of a clock's offset to CLOCK_MONOTONIC from `anchorNs`. The clock was read at some
 * instant between the two monotonic times: within their difference there is nothing to correct.
 */
function deviation(anchorNs: bigint, clockNs: bigint, { beforeNs, afterNs }: ClockReading): bigint {
  const minNs = clockNs - afterNs;
  const maxNs = clockNs - beforeNs;
  if (anchorNs < minNs) return minNs - anchorNs;
  return anchorNs > maxNs ? maxNs - anchorNs : 0n;
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** The clock of the main thread. */
export function createWallClock(read: () => ClockReading = readClocks): Clock {
  const anchor = new WallAnchor(read());
  let breaks = 0;
  return {
    wallNs: () => anchor.wallNs(process.hrtime.bigint()),
    monotonicNs: () => process.hrtime.bigint(),
    countBreaks() {
      if (anchor.update(read()) !== 'same') breaks++;
      return breaks;
    },
  };
}
