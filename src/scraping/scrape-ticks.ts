/** The ticks of a scrape loop: the multiples of its interval on the wall clock, so that all agents agree on them. */
export class ScrapeTicks {
  readonly #intervalNs: bigint;
  #last: bigint;

  /** @param wallNs now: the tick that it belongs to counts as taken */
  constructor(intervalNs: bigint, wallNs: bigint) {
    this.#intervalNs = intervalNs;
    this.#last = wallNs / intervalNs;
  }

  /** Forgets where it stood, since the wall clock was stepped. */
  realign(wallNs: bigint): void {
    this.#last = wallNs / this.#intervalNs;
  }

  /**
   * Moves on to the first tick that lies in the future.
   * @returns its Unix time in nanoseconds and how many ticks before it went by unused
   */
  advance(wallNs: bigint): { readonly atNs: bigint; readonly missed: number } {
    const earliest = this.#last + 1n;
    const future = wallNs / this.#intervalNs + 1n;
    // Slewing can leave the wall clock just short of the tick that was waited for by the monotonic clock.
    this.#last = future > earliest ? future : earliest;
    return { atNs: this.#last * this.#intervalNs, missed: Number(this.#last - earliest) };
  }
}
