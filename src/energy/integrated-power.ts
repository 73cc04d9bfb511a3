import { EnergyTotal } from './energy-total.js';

/** A time in milliseconds; or a function, called at every reading, if it changes with the interval. */
export type GapLimit = number | (() => number);

/** How the power of a sensor is integrated. */
export interface IntegrationOptions {
  /** Maximum time between two readings over which power is integrated. */
  readonly maxGapMs: GapLimit;
  /** The averaging time of a reading, which ends at its instant, in milliseconds; 0: the reading is instantaneous. */
  readonly windowMs?: number;
}

const nsPerMs = 1e6;
/** Longer times are added in parts, so that every number stays below 2^53. */
const partNs = 1e10;
/** Twice the energy in microwatts times nanoseconds: units per nanojoule. */
const unitsPerNj = 2e6;

/**
 * Energy by integration of power readings: exact for whole microwatts and nanoseconds, however long it runs.
 * Between two readings the power is assumed to be linear; a reading that averages all the time since the
 * previous one holds for that time. A gap longer than `maxGapMs` is unknown: the count restarts. Allocates
 * nothing.
 */
export class IntegratedPower {
  readonly #readGapMs: () => number;
  readonly #windowNs: number;
  #total = new EnergyTotal();
  /** The fraction of a nanojoule. */
  #rest = 0;
  #last = NaN;
  #lastNs = NaN;
  #startedNs = NaN;

  constructor({ maxGapMs, windowMs = 0 }: IntegrationOptions) {
    this.#readGapMs = typeof maxGapMs === 'number' ? () => maxGapMs : maxGapMs;
    this.#windowNs = windowMs * nsPerMs;
  }

  /** When the count was 0, on the clock of `take`: at the first reading, or the first one after a long gap. */
  get startedNs(): number {
    return this.#startedNs;
  }

  /**
   * Takes a reading.
   * @param microwatts rounded to a whole number, 0 up to 400 kW; NaN when it failed: the next good one continues from
   * the last good one, if that is not too long ago
   * @param atNs whole nanoseconds of a clock that never runs backwards, below 2^53
   * @returns joules since `startedNs`; NaN for no reading
   */
  take(microwatts: number, atNs: number): number {
    if (Number.isNaN(microwatts)) return NaN;
    const power = Math.round(microwatts);
    const ns = atNs - this.#lastNs;
    if (ns >= 0 && ns <= this.#readGapMs() * nsPerMs)
      this.#add(ns <= this.#windowNs ? 2 * power : this.#last + power, ns);
    else this.#start(atNs);
    this.#last = power;
    this.#lastNs = atNs;
    return this.#total.joules;
  }

  #start(atNs: number): void {
    this.#total = new EnergyTotal();
    this.#rest = 0;
    this.#startedNs = atNs;
  }

  #add(twicePower: number, ns: number): void {
    let left = ns;
    for (; left > partNs; left -= partNs) this.#addPart(twicePower, partNs);
    this.#addPart(twicePower, left);
  }

  /** Milliseconds, microseconds and nanoseconds are multiplied separately, since one product would exceed 2^53. */
  #addPart(twicePower: number, ns: number): void {
    const belowMs = ns % nsPerMs;
    const belowUs = belowMs % 1e3;
    const byMs = twicePower * ((ns - belowMs) / nsPerMs);
    const byUs = twicePower * ((belowMs - belowUs) / 1e3);
    const units = (byMs % 2) * nsPerMs + (byUs % 2e3) * 1e3 + twicePower * belowUs + this.#rest;
    this.#rest = units % unitsPerNj;
    const wholeNj = (byMs - (byMs % 2)) / 2 + (byUs - (byUs % 2e3)) / 2e3;
    this.#total.add(wholeNj + (units - this.#rest) / unitsPerNj);
  }
}
