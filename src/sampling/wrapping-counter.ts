/** What a counter may show and what its domain may draw. */
export interface CounterLimits {
  /** The greatest value before the counter wraps, in microjoules. */
  readonly maxMicrojoules: number;
  /** More than the domain can draw. */
  readonly mostWatts: number;
}

// The counter moves in steps: what it grows by between two reads may have been drawn before the first.
const stepMs = 10;
// A counter whose last change nobody saw may stand still since this long: some refresh once a second.
const unknownAgeMs = 1_000;
// Longer than the longest time between two readings: not a late reading, but an outage.
const outageMs = 60_000;

/**
 * Energy from a counter of microjoules that wraps, exact to the microjoule beyond 2^53. A reading that nobody
 * could have drawn is held back until the next one: a torn or garbled one is forgotten, a reset is confirmed.
 */
export class WrappingCounter {
  readonly #modulus: number;
  readonly #mostWatts: number;
  #last = Number.NaN;
  #readMs = 0;
  #changedMs = 0;
  #suspect = Number.NaN;
  #suspectMs = 0;
  #joules = 0;
  #microjoules = 0;
  #isRead = false;

  constructor(limits: CounterLimits) {
    // The hardware counts 2^32 units: the range that the kernel states is the value of 2^32 - 1 of them.
    const unit = Math.max(1, Math.round(limits.maxMicrojoules / 4_294_967_295));
    this.#modulus = limits.maxMicrojoules + unit;
    this.#mostWatts = limits.mostWatts;
  }

  /** Joules since the first reading, which is 0. NaN when the last reading was none. */
  get joules(): number {
    return this.#isRead ? this.#joules + this.#microjoules / 1e6 : Number.NaN;
  }

  /** Forgets everything: the next reading is the first. */
  restart(): void {
    this.#last = Number.NaN;
    this.#suspect = Number.NaN;
    this.#joules = 0;
    this.#microjoules = 0;
    this.#isRead = false;
  }

  /**
   * Takes a reading.
   * @param microjoules NaN when it failed: the next one continues from the last good one
   * @param nowMs a clock that never runs backwards
   * @returns false when energy since the last good reading is unknown, because the counter began anew or may
   * have wrapped more than once
   */
  update(microjoules: number, nowMs: number): boolean {
    this.#isRead = false;
    if (Number.isNaN(microjoules)) return true;
    if (Number.isNaN(this.#last)) this.#begin(microjoules, nowMs);
    if (this.#mayHaveWrapped(nowMs - this.#readMs)) return false;
    const growth = this.#growthSince(this.#last, microjoules);
    if (!this.#isPossible(growth, nowMs - this.#changedMs)) return this.#suspectReset(microjoules, nowMs);
    this.#accept(microjoules, growth, nowMs);
    return true;
  }

  #begin(microjoules: number, nowMs: number): void {
    this.#last = microjoules;
    this.#readMs = nowMs;
    this.#changedMs = nowMs - unknownAgeMs;
  }

  #accept(microjoules: number, growth: number, nowMs: number): void {
    this.#last = microjoules;
    this.#readMs = nowMs;
    if (growth > 0) this.#changedMs = nowMs;
    this.#suspect = Number.NaN;
    this.#isRead = true;
    const sum = this.#microjoules + growth;
    const whole = Math.floor(sum / 1e6);
    this.#joules += whole;
    this.#microjoules = sum - whole * 1e6;
  }

  #growthSince(before: number, now: number): number {
    return now >= before ? now - before : now - before + this.#modulus;
  }

  #isPossible(growth: number, ms: number): boolean {
    return growth <= this.#mostWatts * (ms + stepMs) * 1e3;
  }

  /** Whether it may have wrapped since the last good reading without anybody seeing it. */
  #mayHaveWrapped(ms: number): boolean {
    return ms > outageMs && this.#mostWatts * ms * 1e3 > this.#modulus;
  }

  #suspectReset(microjoules: number, nowMs: number): boolean {
    const growth = this.#growthSince(this.#suspect, microjoules);
    if (this.#isPossible(growth, nowMs - this.#suspectMs)) return false;
    this.#suspect = microjoules;
    this.#suspectMs = nowMs;
    return true;
  }
}
