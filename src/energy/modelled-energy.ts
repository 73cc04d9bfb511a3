import type { PowerModel } from './power-models.js';

const noPower: PowerModel = { idleWatts: 0, maxWatts: 0 };

/**
 * Energy by a power model and the use of the hardware, from the first reading on. Computed from totals since
 * the model was last changed, not summed reading by reading, so that rounding errors do not accumulate and the
 * result does not depend on the times of readings. Allocates nothing.
 */
export class ModelledEnergy {
  #model = noPower;
  #units = 0;
  #joules = 0;
  #usedNs = NaN;
  #atNs = NaN;
  /** The last energy before the model changed. */
  #fromJoules = 0;
  #fromUsedNs = 0;
  #fromNs = 0;

  /**
   * @param model holds for the time since the last reading; the same object while it does not change
   * @param units number of units, such as CPUs, that share the use `usedNs`
   */
  hold(model: PowerModel, units: number): void {
    if (model === this.#model && units === this.#units) return;
    this.#model = model;
    this.#units = units;
    this.#continue(this.#usedNs);
  }

  /**
   * Takes a reading.
   * @param usedNs total use of all units, in nanoseconds of full use of one; after a decrease it counts from
   * the new value
   * @param atNs nanoseconds of a monotonic clock
   * @returns joules since the first reading, never decreasing; NaN without a reading, and the next one then
   * covers the time since the last
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
    // Use counted in ticks may exceed what was possible in the time.
    const usedNs = Math.min(this.#usedNs - this.#fromUsedNs, this.#units * elapsedNs);
    return this.#fromJoules + (idleWatts * elapsedNs + ((maxWatts - idleWatts) * usedNs) / this.#units) / 1e9;
  }
}
