import { cpus } from 'node:os';

/** How many logical CPUs the measured machine has: what was set, else what it said last, else those of this machine. */
export class CpuCount {
  readonly #isSet: boolean;
  #value: number;

  /** @param set null: not set */
  constructor(set: number | null) {
    this.#isSet = set !== null;
    this.#value = set ?? cpus().length;
  }

  get value(): number {
    return this.#value;
  }

  /** The measured machine says how many it has; NaN: it does not say now. */
  read(count: number): void {
    if (!this.#isSet && count > 0) this.#value = count;
  }
}
