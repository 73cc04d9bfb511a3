/**
 * The largest mean power over a sliding window, between two marks. Only points within the window are kept.
 * Times in nanoseconds, energies in joules.
 */
export class PeakPower {
  #times: number[] = [];
  #joules: number[] = [];
  #oldest = 0;
  #maxWatts = NaN;

  /** @param windowNs minimum length of the window; may decrease */
  add(at: number, joules: number, windowNs: number): void {
    this.#times.push(at);
    this.#joules.push(joules);
    while (this.#lengthFrom(this.#oldest + 1) >= windowNs) this.#oldest += 1;
    const lengthNs = this.#lengthFrom(this.#oldest);
    if (lengthNs >= windowNs) this.#note((joules - (this.#joules[this.#oldest] ?? NaN)) / (lengthNs / 1e9));
    if (this.#oldest > 1024) this.#forget();
  }

  /**
   * Resets the maximum.
   * @returns watts; NaN if nothing was as long as the window
   */
  restart(): number {
    const watts = this.#maxWatts;
    this.#times = [];
    this.#joules = [];
    this.#oldest = 0;
    this.#maxWatts = NaN;
    return watts;
  }

  #lengthFrom(index: number): number {
    return (this.#times.at(-1) ?? NaN) - (this.#times[index] ?? NaN);
  }

  #note(watts: number): void {
    if (!(watts <= this.#maxWatts)) this.#maxWatts = watts;
  }

  #forget(): void {
    this.#times.splice(0, this.#oldest);
    this.#joules.splice(0, this.#oldest);
    this.#oldest = 0;
  }
}
