/** A point of a meter's curve: its time in nanoseconds, and the joules up to it. */
interface Knot {
  readonly at: number;
  readonly joules: number;
}

/**
 * The first and the last refresh of a meter between two marks. A meter that is slower than its readings shows the
 * energy up to its last refresh: of what it shows at a mark, up to a refresh interval was used before, or is missing.
 */
export class KnotSpan {
  #first: Knot | undefined;
  #last: Knot | undefined;

  /** The meter was refreshed, or did not change any more. */
  add(at: number, joules: number): void {
    this.#last = { at, joules };
    this.#first ??= this.#last;
  }

  /**
   * The energy between two marks: that between the refreshes, and their mean power up to the marks, for at most a
   * refresh interval each.
   * @returns undefined with fewer than two refreshes
   */
  extendTo(fromAt: number, toAt: number, refreshNs: number): number | undefined {
    if (!this.#first || !this.#last || this.#first === this.#last) return undefined;
    const [{ at: firstAt, joules: firstJ }, { at: lastAt, joules: lastJ }] = [this.#first, this.#last];
    const edgesNs = Math.min(firstAt - fromAt, refreshNs) + Math.min(toAt - lastAt, refreshNs);
    return (lastJ - firstJ) * (1 + edgesNs / (lastAt - firstAt));
  }
}
