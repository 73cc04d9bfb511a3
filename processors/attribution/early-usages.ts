import type { Usage } from './usage.js';

const longestNs = 10e9;
const most = 4096;

/**
 * The usage before any domain is known. The first table of a meter may come a while after the readings in it, and
 * a window may begin at any boundary since then.
 */
export class EarlyUsages {
  #usages: Usage[] = [];

  push(usage: Usage): void {
    this.#usages.push(usage);
    if (this.#usages.length > most || usage.to - this.#usages[0].to > longestNs) this.#usages.shift();
  }

  /** All of them, which are then forgotten here. */
  take(): readonly Usage[] {
    const usages = this.#usages;
    this.#usages = [];
    return usages;
  }

  /** Whether nothing of what was used up to this boundary is in them. */
  isDoneWith(boundary: number): boolean {
    return this.#usages.length === 0 || this.#usages[0].firstTo > boundary;
  }
}
