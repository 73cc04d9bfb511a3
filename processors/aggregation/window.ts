import type { Distribution } from '../../src/model/distribution.js';
import { Readings, type Cell } from './quantile.js';

/**
 * The state of a series or group in a window, in one array. `sum`: of the readings or, of a counter, its growth
 * between the instants `from` and `to`. `least` and `greatest`: of the readings or, of a counter, of its rate.
 * `before`: the count of a counter before its first reading.
 */
export const [count, sum, before, least, greatest, latest, latestAt, from, to] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8,
] as const;
export const width = 9;

interface Distributions {
  readonly create: () => readonly Distribution[];
  readonly list: readonly Distribution[];
}

/** A window that has not been forwarded. Its memory is reused for later windows. */
export class OpenWindow {
  /** It ends at this multiple of the interval. */
  number = 0;
  /** Its limits in nanoseconds: the end is included, the start is not. */
  startAt = Infinity;
  endAt = -Infinity;
  cells = new Float64Array(0);
  readonly #readings: (Readings | undefined)[] = [];
  readonly #distributions: (Distributions | undefined)[] = [];

  /** Starts an empty window. @param slots number of series and groups to reserve */
  begin(number: number, intervalNs: number, slots: number): void {
    this.number = number;
    this.startAt = (number - 1) * intervalNs;
    this.endAt = number * intervalNs;
    if (this.cells.length < slots * width) this.cells = new Float64Array(slots * width);
    clear(this.cells, 0);
    for (const readings of this.#readings) readings?.clear();
    for (const known of this.#distributions) for (const one of known?.list ?? []) one.clear();
  }

  /** Reserves space for slots that were added after the window had started. */
  reserve(slots: number): void {
    if (slots * width <= this.cells.length) return;
    const cells = new Float64Array(slots * width);
    cells.set(this.cells);
    clear(cells, this.cells.length);
    this.cells = cells;
  }

  /** Whether a slot has a reading or growth of a counter. */
  has(slot: number): boolean {
    const at = slot * width;
    return this.cells[at + count] > 0 || this.cells[at + to] > this.cells[at + from];
  }

  /** Adds the growth of a counter. The numbers are in an array: growth, and the instants between which it grew. */
  addGrowth(slot: number, part: Float64Array): void {
    const { cells } = this;
    const at = slot * width;
    cells[at + sum] += part[0];
    if (!(cells[at + from] <= part[1])) cells[at + from] = part[1];
    if (!(cells[at + to] >= part[2])) cells[at + to] = part[2];
  }

  /** Adds a value to the extremes, passed in an array to avoid allocation. */
  addExtreme(slot: number, values: Float64Array, cell: number): void {
    const { cells } = this;
    const at = slot * width;
    const value = values[cell];
    if (!(cells[at + least] <= value)) cells[at + least] = value;
    if (!(cells[at + greatest] >= value)) cells[at + greatest] = value;
  }

  /** The readings for quantiles. @param max maximum number of kept readings */
  readingsOf(slot: number, max: number): Readings {
    return (this.#readings[slot] ??= new Readings(max));
  }

  /**
   * The histograms of a slot's readings.
   * @param create creates them; a slot that is reused has others
   */
  distributionsOf(slot: number, create: () => readonly Distribution[]): readonly Distribution[] {
    const known = this.#distributions[slot];
    if (known?.create === create) return known.list;
    const list = create();
    this.#distributions[slot] = { create, list };
    return list;
  }

  /** Writes a quantile to a cell; NaN: there were no readings. */
  writeQuantile(slot: number, quantile: number, target: Cell): void {
    const readings = this.#readings[slot];
    if (readings === undefined) target.values[target.cell] = NaN;
    else readings.writeQuantile(quantile, target);
  }
}

function clear(cells: Float64Array, first: number): void {
  for (let at = first; at < cells.length; at += width) {
    cells.fill(0, at, at + least);
    cells.fill(NaN, at + least, at + width);
  }
}
