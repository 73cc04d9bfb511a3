import { Windows, type UsageTick, type Window } from './windows.js';
import type { Usage } from './workload.js';

/** This many counters follow each other between two boundaries only where no usage comes at all. */
const maxCounters = 8;

/**
 * The meter of one domain: the energy counters that it has had, one after the other. Between the last reading of one
 * and the first of the next the energy is not known, and nothing is measured.
 */
export class Meter {
  readonly #maxWindowNs: number;
  readonly #tick: UsageTick;
  /** Of each counter that has windows to come. */
  #windows: Windows[] = [];
  #closedSince = NaN;

  /** @param maxWindowNs a longer window is a gap */
  constructor(maxWindowNs: number, tick: UsageTick) {
    this.#maxWindowNs = maxWindowNs;
    this.#tick = tick;
  }

  /** Begins with a new counter of the domain. */
  open(): Windows {
    this.close();
    this.#closedSince = NaN;
    const windows = new Windows(this.#maxWindowNs, this.#tick);
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

  /** Takes the next window, where its energy and its usage are known; undefined: they are not yet. */
  takeReady(): Window | undefined {
    for (const windows of this.#windows) {
      const window = windows.takeReady();
      if (window) return window;
    }
    if (this.#windows.some(({ isDrained }) => isDrained)) {
      this.#windows = this.#windows.filter(({ isDrained }) => !isDrained);
    }
    return undefined;
  }

  /** Whether no window that is still to come reaches back to this boundary with its workloads. */
  isDoneWith(boundary: number): boolean {
    return this.#windows.every((windows) => windows.isDoneWith(boundary));
  }
}

/** Takes the readings of one energy counter of a meter. */
export class EnergyCounter {
  readonly #meter: Meter;
  readonly #isExact: boolean;
  #windows: Windows;
  /** The instant at which the counter was 0, until its first reading; NaN: it is not known, or does not matter. */
  #startAt: number;

  /**
   * @param isExact the counter is computed at each reading, not refreshed periodically
   * @param startAt the instant at which the counter was 0: a first reading that is later and more was counted since
   */
  constructor(meter: Meter, isExact: boolean, startAt: number) {
    this.#meter = meter;
    this.#isExact = isExact;
    this.#startAt = startAt;
    this.#windows = meter.open();
  }

  /** @param joules since the counter's start; NaN: no reading */
  read(at: number, joules: number): void {
    if (Number.isNaN(joules) || this.#windows.isClosed) return;
    // Beyond 2^53 nJ whole numbers are 2 nJ and more apart: not farther than the doubles that they come from.
    const energyNj = Math.round(joules * 1e9);
    if (this.#startAt < at && energyNj > 0) this.#windows.curve.read(this.#startAt, 0, this.#isExact);
    this.#startAt = NaN;
    if (this.#windows.curve.read(at, energyNj, this.#isExact)) return;
    this.#windows = this.#meter.open();
    this.#windows.curve.read(at, energyNj, this.#isExact);
  }

  /** The counter has no further reading. */
  close(): void {
    this.#windows.close();
  }
}
