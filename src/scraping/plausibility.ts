import type { Log } from '../component/log.js';
import { bounded } from '../linux/plausible.js';

/** Leaves impossible figures out and names each of them once. */
export class Plausibility {
  readonly #log: Log;
  readonly #reported = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * @param what the figure and its file, for people
   * @returns the figure, NaN when it is below 0 or above `most`
   */
  check(what: string, value: number, most: number): number {
    const checked = bounded(value, most);
    if (Number.isNaN(checked)) this.#report(what, value, most);
    return checked;
  }

  #report(what: string, value: number, most: number): void {
    if (this.#reported.has(what)) return;
    this.#reported.add(what);
    this.#log.warn(
      `Cannot use ${what}: expected 0 to ${most}, found ${value}; it is left out while it is impossible`,
    );
  }
}
