import { elementAt } from '../element.js';
import type { Series } from '../model/series.js';
import { createRow, type Table } from '../model/table.js';
import type { IntegratedPower } from './integrated-power.js';
import type { WrappingCounter } from './wrapping-counter.js';

/** Converts readings of a sensor to values of a series, which is a new one after a reset. */
export interface Meter {
  readonly series: Series;
  /**
   * @param value NaN: no reading
   * @param at Unix time of the reading in nanoseconds
   * @param atNs the same instant by a clock that never runs backwards, in nanoseconds below 2^53
   */
  take(value: number, at: bigint, atNs: number): number;
}

/** A meter, and the index of its value in a reading. */
export interface SourcedMeter {
  readonly meter: Meter;
  readonly source: number;
}

/** The meters of values that are read at the same instant. */
export class MeterRow {
  series: readonly Series[];
  readonly #meters: readonly Meter[];
  /** For each meter, the index of its value. */
  readonly #sources: readonly number[];

  constructor(meters: readonly SourcedMeter[]) {
    this.#meters = meters.map(({ meter }) => meter);
    this.#sources = meters.map(({ source }) => source);
    this.series = this.#meters.map(({ series }) => series);
  }

  /** @returns a row, after ending the series of counters that were reset */
  take(values: Float64Array, at: bigint, atNs: number): Table {
    const row = new Float64Array(this.#meters.length);
    for (let i = 0; i < row.length; i++) {
      row[i] = elementAt(this.#meters, i).take(elementAt(values, elementAt(this.#sources, i)), at, atNs);
    }
    const before = this.series;
    if (this.#meters.every(({ series }, i) => series === before[i])) return createRow(before, at, row);
    this.series = this.#meters.map(({ series }) => series);
    return { ...createRow(this.series, at, row), ended: before.filter((one, i) => one !== this.series[i]) };
  }
}

/** A counter of microjoules: it restarts when the device is reset. */
export class CounterMeter implements Meter {
  readonly #counter: WrappingCounter;
  #series: Series;

  constructor(series: Series, counter: WrappingCounter) {
    this.#counter = counter;
    this.#series = series;
  }

  get series(): Series {
    return this.#series;
  }

  take(microjoules: number, at: bigint, atNs: number): number {
    const atMs = atNs / 1e6;
    if (!this.#counter.update(microjoules, atMs)) {
      const ageMs = atMs - this.#counter.startedMs;
      this.#series = { ...this.#series, start: at - BigInt(Math.round(ageMs * 1e6)) };
    }
    return this.#counter.joules;
  }
}

/** Energy by integration of microwatts. Energy during a long gap is unknown: the count restarts after it. */
export class IntegratedMeter implements Meter {
  readonly #power: IntegratedPower;
  #series: Series;
  #startedNs = NaN;

  constructor(series: Series, power: IntegratedPower) {
    this.#series = series;
    this.#power = power;
  }

  get series(): Series {
    return this.#series;
  }

  take(microwatts: number, at: bigint, atNs: number): number {
    const joules = this.#power.take(microwatts, atNs);
    const { startedNs } = this.#power;
    if (startedNs === this.#startedNs || Number.isNaN(startedNs)) return joules;
    if (!Number.isNaN(this.#startedNs)) this.#series = { ...this.#series, start: at };
    this.#startedNs = startedNs;
    return joules;
  }
}
