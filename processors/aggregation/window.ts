import type { Distribution } from '../../src/model/distribution.js';
import { Readings, type Cell } from './quantile.js';

/**
 * What a window knows of a series or group, side by side in one array. `sum`: of the readings or, of a counter, its
 * growth between the instants `from` and `to`. `least` and `greatest`: of the readings or, of a counter, of its rate. `before`: what a
 * counter had counted before its first reading.
 */
export const [count, sum, before, least, greatest, latest, latestAt, from, to] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8,
] as const;
export const width = 9;

interface Distributions {
  readonly create: () => readonly Distribution[];
  readonly list: readonly Distribution[];
}

/** A window that has not been forwarded yet. Its memory is used again for later windows. */
export class OpenWindow {
  /** It ends at this multiple of the interval. */
  number = 0;
  /** Where nanoseconds begin and end that belong to it: the end does, the beginning does not. */
  startAt = Infinity;
  endAt = -Infinity;
  cells = new Float64Array(0);
  readonly #readings: (Readings | undefined)[] = [];
  readonly #distributions: (Distributions | undefined)[] = [];

  /** Begins a window without any reading. @param slots how many series and groups there is room for */
  begin(number: number, intervalNs: number, slots: number): void {
    this.number = number;
    this.startAt = (number - 1) * intervalNs;
    this.endAt = number * intervalNs;
    if (this.cells.length < slots * width) this.cells = new Float64Array(slots * width);
    clear(this.cells, 0);
    for (const readings of this.#readings) readings?.clear();
    for (const known of this.#distributions) for (const one of known?.list ?? []) one.clear();
  }

  /** Makes room for slots that came after the window had begun. */
  reserve(slots: number): void {
    if (slots * width <= this.cells.length) return;
    const cells = new Float64Array(slots * width);
    cells.set(this.cells);
    clear(cells, this.cells.length);
    this.cells = cells;
  }

  /** Whether a slot has a reading or the growth of a counter. */
  has(slot: number): boolean {
    const at = slot * width;
    return this.cells[at + count] > 0 || this.cells[at + to] > this.cells[at + from];
  }

  /** Adds what a counter has grown. The numbers are in an array: growth, and the instants between which it grew. */
  addGrowth(slot: number, part: Float64Array): void {
    const { cells } = this;
    const at = slot * width;
    cells[at + sum] += part[0];
    if (!(cells[at + from] <= part[1])) cells[at + from] = part[1];
    if (!(cells[at + to] >= part[2])) cells[at + to] = part[2];
  }

  /** Adds a value to the extremes. It is in an array: passed by itself, it would be an object on the heap. */
  addExtreme(slot: number, values: Float64Array, cell: number): void {
    const { cells } = this;
    const at = slot * width;
    const value = values[cell];
    if (!(cells[at + least] <= value)) cells[at + least] = value;
    if (!(cells[at + greatest] >= value)) cells[at + greatest] = value;
  }

  /** The readings for quantiles. @param max how many are kept */
  readingsOf(slot: number, max: number): Readings {
    return (this.#readings[slot] ??= new Readings(max));
  }

  /**
   * What counts the readings of a slot in buckets.
   * @param create makes it; a slot of another series has others
   */
  distributionsOf(slot: number, create: () => readonly Distribution[]): readonly Distribution[] {
    const known = this.#distributions[slot];
    if (known?.create === create) return known.list;
    const list = create();
    this.#distributions[slot] = { create, list };
    return list;
  }

  /** Writes a quantile into a cell; NaN: there were no readings. */
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
