import type { EnergyCounter } from './meter.js';

/** For how long no domain may show before the host is attributed: meters give their first tables within a second or two. */
const waitNs = 3e9;

/** Takes the readings of one energy counter. */
export interface EnergyReader {
  /**
   * @param instant nanoseconds, the only number of an array
   * @param values of which the cell is the joules since the counter's start; NaN: no reading
   */
  read(instant: Float64Array, values: Float64Array, cell: number): void;
  /** The counter has no further reading. */
  close(): void;
}

/** What a host's counter asks of the ledger. */
export interface HostDomains {
  /** Whether domains of the host are measured, which its own meter contains. */
  hasParts(): boolean;
  /** Begins to attribute what the host uses beyond its domains; undefined: that is not known. */
  openRemainder(): EnergyCounter | undefined;
  /** Begins to attribute the host. @param isFirst whether that is its first time, and all that it counted is still to attribute */
  open(isFirst: boolean): EnergyCounter;
}

/**
 * The meter of a whole host. It contains the domains of the host, so only what it shows beyond them is attributed while
 * any of these is measured: nothing is charged twice. Until that is known, its readings wait.
 */
export class HostCounter implements EnergyReader {
  readonly #domains: HostDomains;
  #counter: EnergyCounter | undefined;
  #remainder: EnergyCounter | undefined;
  #hasOpened = false;
  #waitsSince = NaN;
  /** The first and the last reading since it waits, as pairs of nanoseconds and joules. */
  readonly #held: [instant: Float64Array, joules: Float64Array][] = [];

  constructor(domains: HostDomains) {
    this.#domains = domains;
  }

  read(instant: Float64Array, values: Float64Array, cell: number): void {
    if (this.#domains.hasParts()) return this.#readRemainder(instant, values, cell);
    this.#remainder?.close();
    this.#remainder = undefined;
    if (this.#counter === undefined && !this.#isDue(instant, values, cell)) return;
    this.#counter ??= this.#open();
    this.#counter.read(instant, values, cell);
  }

  /** No table will follow: what waits is attributed, where no domain has shown. */
  finish(): void {
    if (this.#held.length > 0 && !this.#domains.hasParts()) this.#counter ??= this.#open();
  }

  close(): void {
    this.finish();
    this.#counter?.close();
    this.#remainder?.close();
  }

  #readRemainder(instant: Float64Array, values: Float64Array, cell: number): void {
    this.#counter?.close();
    this.#counter = undefined;
    this.#waitsSince = NaN;
    this.#hasOpened = true;
    this.#remainder ??= this.#domains.openRemainder();
    if (this.#remainder) this.#giveHeld(this.#remainder);
    this.#held.length = 0;
    this.#remainder?.read(instant, values, cell);
  }

  #isDue(instant: Float64Array, values: Float64Array, cell: number): boolean {
    const [at = NaN] = instant;
    if (Number.isNaN(this.#waitsSince)) this.#waitsSince = at;
    if (at - this.#waitsSince >= waitNs) return true;
    const joules = values.slice(cell, cell + 1);
    if (!Number.isNaN(joules[0])) this.#held.splice(1, 1, [Float64Array.of(at), joules]);
    return false;
  }

  #open(): EnergyCounter {
    const counter = this.#domains.open(!this.#hasOpened);
    this.#hasOpened = true;
    this.#giveHeld(counter);
    return counter;
  }

  #giveHeld(counter: EnergyCounter): void {
    for (const [instant, joules] of this.#held) counter.read(instant, joules, 0);
    this.#held.length = 0;
  }
}
