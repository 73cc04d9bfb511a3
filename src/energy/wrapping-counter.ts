/** The range of a counter and the limits of its domain. */
export interface CounterLimits {
  /** The largest value before the counter wraps, in microjoules. Infinity, or beyond 2^53: it never counts as wrapped. */
  readonly maxMicrojoules: number;
  /** Power that the domain cannot exceed. */
  readonly maxWatts: number;
  /**
   * How long it may go unread, in milliseconds, although it could have wrapped in that time at `maxWatts`; 60 s
   * by default. 0: never.
   */
  readonly outageMs?: number;
}

// The counter moves in steps: energy that appears between two readings may have been used before the first.
const stepMs = 10;
// At the first reading, the last change may be this long ago: some counters are refreshed once a second.
const unknownAgeMs = 1_000;
// Averaging time of the power with which a fall is compared.
const averageMs = 1_000;
// A counter that falls has wrapped or was reset. It counts as wrapped if the growth fits this
// multiple of the recent power, or the start of a load; a larger growth would be a spike.
const fallFactor = 8;

/**
 * Energy from a wrapping counter of microjoules: exact to the microjoule, however often it wraps and beyond
 * 2^53. A reading that would require an impossible power is held back until the next one: a torn or garbled one
 * is discarded, a reset is confirmed. After a reset the count continues from the first reading that was held
 * back, so that only the energy before it is unknown.
 *
 * The kernel rounds down, so that every value is up to 1 uJ too small: the difference of two has a smaller
 * error than that, regardless of wraps in between, since wraps are counted in the hardware's units.
 */
export class WrappingCounter {
  #modulusNj: bigint;
  #modulus: number;
  readonly #maxMicrojoules: number;
  readonly #maxWatts: number;
  readonly #outageMs: number;
  #first = NaN;
  #last = NaN;
  #readMs = 0;
  #changedMs = 0;
  /** Recent power; Infinity: not known yet. */
  #watts = Infinity;
  #suspect = NaN;
  #suspectMs = 0;
  #startedMs = 0;
  #wraps = 0n;
  /** Energy of the wraps: whole joules, whole microjoules beyond these, and the rest. */
  #wrappedJoules = 0;
  #wrappedMicrojoules = 0;
  #wrappedRest = 0;
  #isRead = false;

  constructor({ maxMicrojoules, maxWatts, outageMs = 60_000 }: CounterLimits) {
    this.#modulusNj = findModulusNj(maxMicrojoules);
    this.#modulus = this.#modulusNj === 0n ? Infinity : Number(this.#modulusNj) / 1e3;
    this.#maxMicrojoules = maxMicrojoules;
    this.#maxWatts = maxWatts;
    this.#outageMs = outageMs;
  }

  /** Joules since `startedMs`. NaN when the last reading failed. */
  get joules(): number {
    if (!this.#isRead) return NaN;
    const microjoules = this.#wrappedMicrojoules + (this.#last - this.#first);
    const whole = Math.floor(microjoules / 1e6);
    return this.#wrappedJoules + whole + (microjoules - whole * 1e6 + this.#wrappedRest) / 1e6;
  }

  /** When the count was 0, on the clock of `update`: at the first reading, or the first one after a reset. */
  get startedMs(): number {
    return this.#startedMs;
  }

  /** Whether the counter has exceeded its range: the range is wrong, and a fall is treated as a reset. */
  get isRangeWrong(): boolean {
    return this.#modulusNj === 0n && Number.isSafeInteger(this.#maxMicrojoules);
  }

  /** Discards all state: the next reading is the first. */
  restart(): void {
    this.#last = NaN;
    this.#suspect = NaN;
    this.#watts = Infinity;
    this.#wraps = 0n;
    this.#wrappedJoules = 0;
    this.#wrappedMicrojoules = 0;
    this.#wrappedRest = 0;
    this.#isRead = false;
  }

  /**
   * Takes a reading.
   * @param microjoules NaN when it failed: the next one continues from the last good one
   * @param nowMs a clock that never runs backwards
   * @returns false when energy since the last good reading is unknown, because the counter was reset or may
   * have wrapped more than once: it counts from `startedMs` again, and `joules` contains the energy since then
   */
  update(microjoules: number, nowMs: number): boolean {
    this.#isRead = false;
    if (Number.isNaN(microjoules)) return true;
    if (Number.isNaN(this.#last)) this.#begin(microjoules, nowMs);
    if (this.#mayHaveWrapped(nowMs - this.#readMs)) return this.#restartAt(microjoules, nowMs);
    const growth = this.#growthSince(this.#last, microjoules);
    const maxWatts = microjoules < this.#last ? this.#maxWattsOfFall() : this.#maxWatts;
    if (isPossible(growth, maxWatts, nowMs - this.#changedMs)) {
      this.#accept(microjoules, growth, nowMs);
      return true;
    }
    return this.#suspectReset(microjoules, nowMs);
  }

  /**
   * Takes the last reading again, much faster than `update`.
   * @param nowMs as for `update`
   * @returns false when `update` has to take it
   */
  repeat(nowMs: number): boolean {
    if (!this.#isRead || this.#mayHaveWrapped(nowMs - this.#readMs)) return false;
    this.#readMs = nowMs;
    return true;
  }

  #restartAt(microjoules: number, nowMs: number): boolean {
    this.restart();
    this.#begin(microjoules, nowMs);
    this.#accept(microjoules, 0, nowMs);
    return false;
  }

  #begin(microjoules: number, nowMs: number): void {
    this.#first = microjoules;
    this.#last = microjoules;
    this.#startedMs = nowMs;
    this.#readMs = nowMs;
    this.#changedMs = nowMs - unknownAgeMs;
  }

  #accept(microjoules: number, growth: number, nowMs: number): void {
    if (microjoules > this.#maxMicrojoules) this.#forgetRange();
    if (microjoules < this.#last) this.#wrap();
    if (growth > 0) this.#average(growth, nowMs - this.#changedMs);
    if (growth > 0) this.#changedMs = nowMs;
    this.#last = microjoules;
    this.#readMs = nowMs;
    this.#suspect = NaN;
    this.#isRead = true;
  }

  #wrap(): void {
    this.#wraps++;
    const wrappedNj = this.#wraps * this.#modulusNj;
    this.#wrappedJoules = Number(wrappedNj / 1_000_000_000n);
    this.#wrappedMicrojoules = Number((wrappedNj / 1_000n) % 1_000_000n);
    this.#wrappedRest = Number(wrappedNj % 1_000n) / 1e3;
  }

  #forgetRange(): void {
    this.#modulusNj = 0n;
    this.#modulus = Infinity;
  }

  #average(growth: number, ms: number): void {
    const watts = growth / 1e3 / Math.max(ms, 1);
    if (this.#watts === Infinity) this.#watts = watts;
    else this.#watts += (watts - this.#watts) * Math.min(1, Math.max(ms, 1) / averageMs);
  }

  #maxWattsOfFall(): number {
    return Math.min(this.#maxWatts, fallFactor * Math.max(this.#watts, this.#maxWatts / fallFactor ** 2));
  }

  #growthSince(before: number, now: number): number {
    return now >= before ? now - before : now - before + this.#modulus;
  }

  /** Whether it may have wrapped unnoticed since the last good reading. */
  #mayHaveWrapped(ms: number): boolean {
    return ms > this.#outageMs && this.#maxWatts * ms * 1e3 > this.#modulus;
  }

  #suspectReset(microjoules: number, nowMs: number): boolean {
    const growth = this.#growthSince(this.#suspect, microjoules);
    // A repeated reading confirms nothing: a broken counter repeats its value.
    if (growth === 0) return true;
    if (isPossible(growth, this.#maxWatts, nowMs - this.#suspectMs)) {
      const [suspect, suspectMs] = [this.#suspect, this.#suspectMs];
      this.#restartAt(suspect, suspectMs);
      this.#accept(microjoules, growth, nowMs);
      return false;
    }
    this.#suspect = microjoules;
    this.#suspectMs = nowMs;
    return true;
  }
}

function isPossible(growth: number, watts: number, ms: number): boolean {
  return growth <= watts * (ms + stepMs) * 1e3;
}

const units = 2n ** 32n;
const njPerMicrojoule = 1_000n;
const maxShift = 32n;

/**
 * The modulus of a 32-bit counter in nanojoules, exactly. The kernel states only the value of 2^32 - 1 units,
 * in microjoules and rounded down: this finds the unit that gives this value. It is a whole number of
 * nanojoules, as in the powercap driver (61,035 for 2^-14 J: drivers/powercap/intel_rapl_common.c), or a power
 * of two of a joule.
 * @param maxMicrojoules the range; if no such unit explains it, the modulus is one unit, about 2^-32 of the
 * range, beyond it
 * @returns 0 for an unknown range, or one beyond what a double holds exactly
 */
export function findModulusNj(maxMicrojoules: number): bigint {
  if (!Number.isSafeInteger(maxMicrojoules)) return 0n;
  const max = BigInt(maxMicrojoules);
  return findByNanojoules(max) ?? findByPowerOfTwo(max) ?? max * njPerMicrojoule + estimateUnitNj(max);
}

function findByNanojoules(max: bigint): bigint | undefined {
  // The smallest unit that reaches the range: the next would exceed it by a microjoule or more.
  const unitNj = (max * njPerMicrojoule + units - 2n) / (units - 1n);
  return ((units - 1n) * unitNj) / njPerMicrojoule === max ? units * unitNj : undefined;
}

function findByPowerOfTwo(max: bigint): bigint | undefined {
  for (let shift = 0n; shift <= maxShift; shift++) {
    if (((units - 1n) * 1_000_000n) >> shift === max) return (units * 1_000_000_000n) >> shift;
  }
  return undefined;
}

function estimateUnitNj(max: bigint): bigint {
  const unit = (max + units / 2n) / units;
  return (unit > 0n ? unit : 1n) * njPerMicrojoule;
}
