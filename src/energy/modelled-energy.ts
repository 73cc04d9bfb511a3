import type { PowerModel } from './power-models.js';

const noPower: PowerModel = { idleWatts: 0, maxWatts: 0 };

/**
 * Energy by a power model and the use of the hardware, from the first reading on. Computed from the totals of the time
 * for which the model holds rather than summed up reading by reading, so that rounding does not add up: it is the same
 * in whatever windows it is read. Allocates nothing.
 */
export class ModelledEnergy {
  #model = noPower;
  #units = 0;
  #joules = 0;
  #usedNs = NaN;
  #atNs = NaN;
  /** What the last reading before the model was. */
  #fromJoules = 0;
  #fromUsedNs = 0;
  #fromNs = 0;

  /**
   * @param model holds for the time since the last reading; the same object while it does not change
   * @param units how many units, such as CPUs, are used by as much as `usedNs` in all
   */
  hold(model: PowerModel, units: number): void {
    if (model === this.#model && units === this.#units) return;
    this.#model = model;
    this.#units = units;
    this.#continue(this.#usedNs);
  }

  /**
   * Takes a reading.
   * @param usedNs for how long units were used in all, in nanoseconds of full use of one; never falls, except that it
   * counts from there on
   * @param atNs nanoseconds of a clock
   * @returns joules since the first reading, never less than the last time; NaN for no reading, and the next one counts
   * for the time since the last
   */
  update(usedNs: number, atNs: number): number {
    if (Number.isNaN(usedNs)) return NaN;
    if (Number.isNaN(this.#atNs)) this.#begin(usedNs, atNs);
    if (usedNs < this.#usedNs) this.#continue(usedNs);
    if (atNs > this.#atNs) {
      this.#usedNs = usedNs;
      this.#atNs = atNs;
      this.#joules = this.#count();
    }
    return this.#joules;
  }

  #begin(usedNs: number, atNs: number): void {
    this.#usedNs = usedNs;
    this.#atNs = atNs;
    this.#continue(usedNs);
  }

  #continue(usedNs: number): void {
    this.#fromJoules = this.#joules;
    this.#fromUsedNs = usedNs;
    this.#usedNs = usedNs;
    this.#fromNs = this.#atNs;
  }

  #count(): number {
    const { idleWatts, maxWatts } = this.#model;
    const elapsedNs = this.#atNs - this.#fromNs;
    // What is counted in ticks may run ahead of what the hardware could have done.
    const usedNs = Math.min(this.#usedNs - this.#fromUsedNs, this.#units * elapsedNs);
    return this.#fromJoules + (idleWatts * elapsedNs + ((maxWatts - idleWatts) * usedNs) / this.#units) / 1e9;
  }
}
