import type { Beginning } from '../../src/energy/energy-curve.js';
import type { Reading } from '../../src/energy/knot-finder.js';
import type { MeterFacts } from '../../src/energy/meter-facts.js';
import { createGap, type Usage, type UsageTick } from '../../src/usage/usage.js';
import { Windows, type Settled, type Window } from '../../src/usage/windows.js';

/** More counters than this between two boundaries only occur where no usage arrives at all. */
const maxCounters = 8;

/** What a domain needs from its meter. */
export type DomainMeter = Pick<
  Meter,
  'open' | 'push' | 'takeReady' | 'isDoneWith' | 'isGone' | 'isSetBack' | 'discardSetBack' | 'finish'
>;

/**
 * The meter of one domain: the successive energy counters that it has had. Between the last reading of one and
 * the first of the next the energy is not known, and no energy is attributed.
 */
export class Meter {
  readonly #maxWindowNs: number;
  readonly #tick: UsageTick;
  readonly #keepsEnds: boolean;
  readonly #facts: MeterFacts | undefined;
  /** One for each counter that still has windows to take. */
  #windows: Windows[] = [];
  #closedSince = NaN;
  /** The end of the last window, or of the last counter. */
  #reachedAt = -Infinity;

  /**
   * @param maxWindowNs a longer window is a gap
   * @param keepsEnds whether windows include the readings that their energy was computed from
   * @param facts undefined: only its readings are known
   */
  constructor(maxWindowNs: number, tick: UsageTick, keepsEnds = false, facts?: MeterFacts) {
    this.#maxWindowNs = maxWindowNs;
    this.#tick = tick;
    this.#keepsEnds = keepsEnds;
    this.#facts = facts;
  }

  /** Whether it has a counter, or had one with windows that were not taken yet. */
  get hasWindows(): boolean {
    return this.#windows.length > 0;
  }

  /**
   * Starts with a new counter of the domain. Usage since the end of the previous one is also its usage.
   * @param knownSince the usage before this instant is not known; NaN: all is
   */
  open(knownSince = NaN): Windows {
    const left = this.#windows.flatMap((windows) => windows.close());
    for (const { curve } of this.#windows) if (curve.lastAt > this.#reachedAt) this.#reachedAt = curve.lastAt;
    this.#closedSince = NaN;
    const windows = new Windows(this.#maxWindowNs, this.#tick, this.#keepsEnds, this.#facts);
    windows.endsAfter = this.#reachedAt;
    if (left.length === 0 && !Number.isNaN(knownSince)) windows.push(createGap(knownSince));
    for (const usage of left) windows.push(usage);
    this.#windows.push(windows);
    if (this.#windows.length > maxCounters) this.#windows.shift();
    return windows;
  }

  /** Whether its counter begins before the previous one ended: the clock was set back. */
  get isSetBack(): boolean {
    return this.#windows.some(({ isSetBack }) => isSetBack);
  }

  /** Discards such a counter: its energy belongs to another ledger. */
  discardSetBack(): void {
    this.#windows = this.#windows.filter(({ isSetBack }) => !isSetBack);
  }

  /** No energy or usage will follow. */
  finish(): void {
    for (const windows of this.#windows) windows.finish();
  }

  /** Receives the usage up to a boundary. */
  push(usage: Usage): void {
    for (const windows of this.#windows) windows.push(usage);
    if (this.#windows.length === 0 && Number.isNaN(this.#closedSince)) this.#closedSince = usage.to;
  }

  /** Whether it has been without a counter for longer than the maximum window. */
  isGone(now: number): boolean {
    return now - this.#closedSince > this.#maxWindowNs;
  }

  /** Takes the next window if its energy and its usage are known; undefined: not yet. */
  takeReady(): Window | undefined {
    for (const windows of this.#windows) {
      const window = windows.takeReady();
      if (window === undefined) continue;
      if (window.to > this.#reachedAt) this.#reachedAt = window.to;
      return window;
    }
    if (this.#windows.some(({ isDrained }) => isDrained)) {
      this.#windows = this.#windows.filter(({ isDrained }) => !isDrained);
    }
    return undefined;
  }

  /** Whether no future window can still charge workloads that existed at this boundary. */
  isDoneWith(boundary: number): boolean {
    return this.#windows.every((windows) => windows.isDoneWith(boundary));
  }
}

/** What is known of a counter besides its readings. */
export interface CounterFacts {
  /** Whether it is computed at each reading, not refreshed periodically. */
  readonly isExact: boolean;
  /** The energy up to its first reading was used since then; undefined: not known. */
  readonly beginning: Beginning | undefined;
  /** As for `Meter.open`. */
  readonly usageKnownSince: number;
}

/** Receives the readings of one energy counter of a meter. */
export class EnergyCounter {
  readonly #meter: Pick<Meter, 'open'>;
  readonly #isExact: boolean;
  readonly #reading: Reading = new Float64Array(2);
  #windows: Windows;
  #hasFallen = false;
  /** Until its first reading. */
  #beginning: Beginning | undefined;

  constructor(meter: Pick<Meter, 'open'>, { isExact, beginning, usageKnownSince }: CounterFacts) {
    this.#meter = meter;
    this.#isExact = isExact;
    this.#beginning = beginning;
    this.#windows = meter.open(usageKnownSince);
  }

  /**
   * @param instant nanoseconds, as an array of one number
   * @param values array whose cell is the joules since the counter's start; negative or not finite: no reading
   */
  read(instant: Float64Array, values: Float64Array, cell: number): void {
    const reading = this.#reading;
    reading[0] = instant[0];
    // Beyond 2^53 nJ not every whole number is a double; the resolution is that of the joules they come from.
    reading[1] = Math.round(values[cell] * 1e9);
    if (!(reading[1] >= 0 && reading[1] < Infinity) || this.#windows.isClosed) return;
    this.#windows.curve.readBeginning(this.#beginning, reading, this.#isExact);
    this.#beginning = undefined;
    if (this.#windows.curve.read(reading, this.#isExact)) return;
    this.#hasFallen = true;
    this.#windows = this.#meter.open();
    this.#windows.curve.read(reading, this.#isExact);
  }

  /** The point up to which its energy is booked, at first the beginning of its curve; undefined: not known yet. */
  get settled(): Settled | undefined {
    const { settled, curve } = this.#windows;
    if (settled !== undefined || !this.#hasFallen) return settled;
    // What it counted before it fell is booked: nothing may be booked from the start of its series again.
    return { at: curve.readAt, nj: curve.value };
  }

  /** The counter has no further readings. */
  close(): void {
    this.#windows.close();
  }
}
