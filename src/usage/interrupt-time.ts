import type { Series } from '../model/series.js';

/** The growth of the machine's time of interrupts since the last boundary. */
export class InterruptTime {
  #series: Series | undefined;
  #lastNs = 0;
  #grownNs = 0;

  /** A new series is a new counter. @param seconds not finite: no reading */
  read(series: Series, seconds: number): void {
    const readNs = Math.round(seconds * 1e9);
    if (!Number.isFinite(readNs)) return;
    if (series !== this.#series) this.#lastNs = readNs;
    this.#series = series;
    this.#grownNs += Math.max(0, readNs - this.#lastNs);
    this.#lastNs = Math.max(readNs, this.#lastNs);
  }

  /** A boundary. @returns nanoseconds since the one before */
  take(): number {
    const grownNs = this.#grownNs;
    this.#grownNs = 0;
    return grownNs;
  }
}
