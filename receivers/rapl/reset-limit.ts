const most = 4;
const withinMs = 60_000;

/** Tells a counter that was reset, as when a driver is reloaded, from one that is reset all the time and is useless. */
export class ResetLimit {
  #resets = 0;
  #firstMs = 0;
  #lastMs = 0;
  #isExceeded = false;

  /** Whether it was reset more than four times within a minute, and has not been without a reset for one since. */
  get isExceeded(): boolean {
    return this.#isExceeded;
  }

  /** Counts a reset. */
  count(nowMs: number): void {
    if (nowMs - this.#firstMs > withinMs) {
      this.#firstMs = nowMs;
      this.#resets = 0;
    }
    this.#lastMs = nowMs;
    this.#resets++;
    if (this.#resets > most) this.#isExceeded = true;
  }

  /** @returns whether it may be used again, since there was no reset for a minute */
  recover(nowMs: number): boolean {
    if (nowMs - this.#lastMs < withinMs) return false;
    this.#isExceeded = false;
    this.#resets = 0;
    return true;
  }
}
