import { elementAt } from '../../src/element.js';
import type { Series } from '../../src/model/series.js';

/** A series and how to find its value. */
export interface Reading {
  readonly series: Series;
  read(): number;
}

/** Series that are told together, of a process or of the machine. */
export class CumulativeSeries {
  readonly series: readonly Series[];
  readonly #readings: readonly Reading[];
  readonly #bases: Float64Array;

  /** @param isFromZero false: counters count from what they have now */
  constructor(readings: readonly Reading[], isFromZero: boolean) {
    this.#readings = readings;
    this.series = readings.map(({ series }) => series);
    this.#bases = Float64Array.from(readings, ({ series, read }) =>
      isFromZero || series.metric.kind === 'gauge' ? 0 : read(),
    );
  }

  /** The values now, in the order of the series. */
  read(): number[] {
    return this.#readings.map(({ read }, i) => read() - elementAt(this.#bases, i));
  }
}
