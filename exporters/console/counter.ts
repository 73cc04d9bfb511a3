/** A counter's last reading, and how fast it grew between two looks. */
export class Counter {
  value = 0;
  #at: number;
  #lookedValue = 0;
  #lookedAt: number;
  #rate = NaN;

  /** @param start Unix time in seconds at which the count was 0 */
  constructor(start: number) {
    this.#at = start;
    this.#lookedAt = start;
  }

  /** @param at Unix time in seconds of the reading */
  take(value: number, at: number): void {
    if (Number.isNaN(value)) return;
    this.value = value;
    this.#at = at;
  }

  /**
   * How much it grows in a second: between the last reading before this look and the one before the last look.
   * Without a reading since then, what was found then; before the second reading, NaN.
   */
  look(): number {
    const elapsed = this.#at - this.#lookedAt;
    if (elapsed > 0) {
      this.#rate = (this.value - this.#lookedValue) / elapsed;
      this.#lookedAt = this.#at;
      this.#lookedValue = this.value;
    }
    return this.#rate;
  }
}
