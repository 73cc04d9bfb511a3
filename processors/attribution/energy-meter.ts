import type { DomainMeter } from './domain-meter.js';
import type { DomainWindows } from './domain-windows.js';

/** Takes the readings of one energy counter of a domain. */
export class EnergyMeter {
  readonly #domain: DomainMeter;
  readonly #isExact: boolean;
  #windows: DomainWindows;
  /** The instant at which the counter was 0, until its first reading; NaN: it is not known, or does not matter. */
  #startAt: number;

  /**
   * @param isExact the counter is computed at each reading, not refreshed now and then
   * @param startAt the instant at which the counter was 0: a first reading that is later and more was counted since
   */
  constructor(domain: DomainMeter, isExact: boolean, startAt: number) {
    this.#domain = domain;
    this.#isExact = isExact;
    this.#startAt = startAt;
    this.#windows = domain.open();
  }

  /** @param joules since the counter's start; NaN: no reading */
  read(at: number, joules: number): void {
    if (Number.isNaN(joules) || this.#windows.isClosed) return;
    // Beyond 2^53 nJ whole numbers are 2 nJ and more apart: not farther than the doubles that they come from.
    const energyNj = Math.round(joules * 1e9);
    if (this.#startAt < at && energyNj > 0) this.#windows.curve.read(this.#startAt, 0, this.#isExact);
    this.#startAt = NaN;
    if (this.#windows.curve.read(at, energyNj, this.#isExact)) return;
    this.#windows = this.#domain.open();
    this.#windows.curve.read(at, energyNj, this.#isExact);
  }

  /** The counter has no further reading. */
  close(): void {
    this.#windows.close();
  }
}
