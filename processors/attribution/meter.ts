import type { Reading } from '../../src/energy/knot-finder.js';
import type { MeterFacts } from '../../src/energy/meter-facts.js';
import type { Usage, UsageTick } from '../../src/usage/usage.js';
import { Windows, type Window } from '../../src/usage/windows.js';

/** This many counters follow each other between two boundaries only where no usage comes at all. */
const maxCounters = 8;

/** What a domain asks of its meter. */
export type DomainMeter = Pick<Meter, 'open' | 'push' | 'takeReady' | 'isDoneWith' | 'isGone' | 'finish'>;

/**
 * The meter of one domain: the energy counters that it has had, one after the other. Between the last reading of one
 * and the first of the next the energy is not known, and nothing is measured.
 */
export class Meter {
  readonly #maxWindowNs: number;
  readonly #tick: UsageTick;
  readonly #keepsEnds: boolean;
  readonly #facts: MeterFacts | undefined;
  /** Of each counter that has windows to come. */
  #windows: Windows[] = [];
  #closedSince = NaN;

  /**
   * @param maxWindowNs a longer window is a gap
   * @param keepsEnds whether windows have what their energy is from
   * @param facts undefined: nothing is known but its readings
   */
  constructor(maxWindowNs: number, tick: UsageTick, keepsEnds = false, facts?: MeterFacts) {
    this.#maxWindowNs = maxWindowNs;
    this.#tick = tick;
    this.#keepsEnds = keepsEnds;
    this.#facts = facts;
  }

  /** Whether it has a counter, or had one whose windows are not all taken. */
  get hasWindows(): boolean {
    return this.#windows.length > 0;
  }

  /** Begins with a new counter of the domain. */
  open(): Windows {
    this.close();
    this.#closedSince = NaN;
    const windows = new Windows(this.#maxWindowNs, this.#tick, this.#keepsEnds, this.#facts);
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
  readonly #meter: Pick<Meter, 'open'>;
  readonly #isExact: boolean;
  readonly #reading: Reading = new Float64Array(2);
  #windows: Windows;
  /** The instant at which the counter was 0, until its first reading; NaN: it is not known, or does not matter. */
  #startAt: number;

  /**
   * @param isExact the counter is computed at each reading, not refreshed periodically
   * @param startAt the instant at which the counter was 0: a first reading that is later and more was counted since
   */
  constructor(meter: Pick<Meter, 'open'>, isExact: boolean, startAt: number) {
    this.#meter = meter;
    this.#isExact = isExact;
    this.#startAt = startAt;
    this.#windows = meter.open();
  }

  /**
   * @param instant nanoseconds, the only number of an array
   * @param values of which the cell is the joules since the counter's start; NaN: no reading
   */
  read(instant: Float64Array, values: Float64Array, cell: number): void {
    const joules = values[cell];
    if (Number.isNaN(joules) || this.#windows.isClosed) return;
    const reading = this.#reading;
    reading[0] = instant[0];
    // Beyond 2^53 nJ whole numbers are 2 nJ and more apart: not farther than the doubles that they come from.
    reading[1] = Math.round(joules * 1e9);
    if (this.#startAt < reading[0] && reading[1] > 0) {
      this.#windows.curve.read(Float64Array.of(this.#startAt, 0), this.#isExact);
    }
    this.#startAt = NaN;
    if (this.#windows.curve.read(reading, this.#isExact)) return;
    this.#windows = this.#meter.open();
    this.#windows.curve.read(reading, this.#isExact);
  }

  /** The counter has no further reading. */
  close(): void {
    this.#windows.close();
  }
}
