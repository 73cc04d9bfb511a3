import { DomainWindows, type Window } from './domain-windows.js';
import type { Usage } from './usage.js';
import type { UsageTick } from './usage-tick.js';

/** So many counters follow each other between two boundaries only where no usage comes at all. */
const maxCounters = 8;

/**
 * The energy counters that one domain has had, one after the other. Between the last reading of one and the first
 * of the next the energy is not known, and nothing is measured.
 */
export class DomainMeter {
  readonly #maxWindowNs: number;
  readonly #tick: UsageTick;
  #windows: DomainWindows[] = [];
  #closedSince = NaN;

  /** @param maxWindowNs a longer window is a gap */
  constructor(maxWindowNs: number, tick: UsageTick) {
    this.#maxWindowNs = maxWindowNs;
    this.#tick = tick;
  }

  /** Begins with a new counter of the domain. */
  open(): DomainWindows {
    this.close();
    this.#closedSince = NaN;
    const windows = new DomainWindows(this.#maxWindowNs, this.#tick);
    this.#windows.push(windows);
    if (this.#windows.length > maxCounters) this.#windows.shift();
    return windows;
  }

  /** The counter has no further reading. */
  close(): void {
    for (const windows of this.#windows) windows.close();
  }

  /** Neither energy nor usage will follow. */
  finish(): void {
    for (const windows of this.#windows) windows.finish();
  }

  /** Takes the usage up to a boundary. */
  push(usage: Usage): void {
    for (const windows of this.#windows) windows.push(usage);
    if (this.#windows.length === 0 && Number.isNaN(this.#closedSince)) this.#closedSince = usage.to;
  }

  /** Whether it has been without a counter for longer than a window may be. */
  isGone(now: number): boolean {
    return now - this.#closedSince > this.#maxWindowNs;
  }

  /** The boundary at which the next window settles now; NaN: none does. */
  findNext(): number {
    for (const windows of this.#windows) {
      const at = windows.findNext();
      if (!Number.isNaN(at)) return at;
    }
    if (this.#windows.some(({ isDrained }) => isDrained)) {
      this.#windows = this.#windows.filter(({ isDrained }) => !isDrained);
    }
    return NaN;
  }

  /** Settles the window that `findNext` tells of. */
  settle(): Window | undefined {
    for (const windows of this.#windows) {
      const window = windows.settle();
      if (window !== undefined) return window;
    }
    return undefined;
  }

  /** Whether no window that is still to be settled reaches back to this boundary with its consumers. */
  isDoneWith(boundary: number): boolean {
    return this.#windows.every((windows) => windows.isDoneWith(boundary));
  }
}
