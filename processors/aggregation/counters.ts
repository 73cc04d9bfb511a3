import type { OpenWindows } from './open-windows.js';
import type { Target } from './targets.js';
import { before, count, width, type OpenWindow } from './window.js';

/** Counter columns of tables with one array of series. */
export interface CounterColumns {
  readonly columns: Int32Array;
  /** The index of each column's state. */
  readonly states: Int32Array;
  readonly slots: Int32Array;
  /** What is computed for each, in addition to its growth. */
  readonly flags: Uint8Array;
  readonly targets: readonly Target[];
}

/**
 * Flags: whether the rate is checked, whether of all readings of a window, whether the counter is a whole
 * number, and whether what it had counted before its first reading belongs to its total.
 */
export const [rates, quantiles, isInt, countsBefore, histograms] = [1, 2, 4, 8, 16] as const;

/** The current row. One object for all rows. */
export interface Row {
  /** Its time, in an array: a changing number property would be allocated on the heap. */
  readonly instant: Float64Array;
  values: Float64Array;
  /** Index of the row's first value. */
  cell: number;
  window: OpenWindow;
}

/** State of all counters in one array, to avoid allocations. */
const [value, at, hasGap] = [0, 1, 2] as const;
const stateWidth = 3;

/**
 * Divides the growth of counters among windows. Growth is assumed to be constant between consecutive readings;
 * growth during a gap belongs to the window of the next reading. Times are nanoseconds.
 */
export class Counters {
  readonly #windows: OpenWindows;
  readonly #maxReadings: number;
  readonly #part = new Float64Array(3);
  readonly #rate = new Float64Array(1);
  readonly #free: number[] = [];
  #states = new Float64Array(64 * stateWidth);
  #used = 0;

  constructor(windows: OpenWindows, maxReadings: number) {
    this.#windows = windows;
    this.#maxReadings = maxReadings;
  }

  /**
   * Allocates the state of a counter.
   * @param startAt when it was 0; NaN: it starts at its first reading
   */
  claim(startAt: number): number {
    const state = this.#free.pop() ?? this.#extend();
    this.#states[state + value] = Number.isNaN(startAt) ? NaN : 0;
    this.#states[state + at] = Number.isNaN(startAt) ? -Infinity : startAt;
    this.#states[state + hasGap] = 0;
    return state;
  }

  release(state: number): void {
    this.#free.push(state);
  }

  /** Adds a row to its window, or to the first open one if its window has been forwarded. */
  read({ columns, states, slots, flags, targets }: CounterColumns, row: Row): void {
    const { values, cell, window } = row;
    const now = row.instant[0];
    const known = this.#states;
    const part = this.#part;
    for (let i = 0; i < columns.length; i++) {
      const reading = values[cell + columns[i]];
      const state = states[i];
      if (Number.isNaN(reading)) {
        known[state + hasGap] = 1;
        continue;
      }
      const lastAt = known[state + at];
      if (now < lastAt) continue;
      const slot = slots[i];
      const isGap = known[state + hasGap] === 1;
      window.cells[slot * width + count] += 1;
      part[0] = reading - known[state + value];
      part[1] = lastAt;
      part[2] = now;
      if (part[0] >= 0) {
        if ((flags[i] & rates) !== 0 && !isGap && now > lastAt) {
          this.#addRate(slot, flags[i], window);
          if ((flags[i] & histograms) !== 0) targets[i].histograms?.count(slot, window, this.#rate, 0);
        }
        if (isGap || lastAt >= window.startAt) window.addGrowth(slot, part);
        else this.#divide(slot, flags[i], window);
      } else if (Number.isNaN(part[0]) && (flags[i] & countsBefore) !== 0) {
        window.cells[slot * width + before] += reading;
      }
      known[state + value] = reading;
      known[state + at] = now;
      known[state + hasGap] = 0;
    }
  }

  #addRate(slot: number, flags: number, window: OpenWindow): void {
    const part = this.#part;
    this.#rate[0] = part[0] / ((part[2] - part[1]) / 1e9);
    window.addExtreme(slot, this.#rate, 0);
    if ((flags & quantiles) !== 0) window.readingsOf(slot, this.#maxReadings).add(this.#rate, 0);
  }

  /**
   * Divides the growth since a reading of an earlier window. The part of windows that were forwarded goes to
   * the first open one.
   */
  #divide(slot: number, flags: number, window: OpenWindow): void {
    const { intervalNs, lagWindows } = this.#windows;
    const first = Math.max(this.#windows.first, window.number - lagWindows);
    const part = this.#part;
    const [growth, fromAt, toAt] = part;
    let done = 0;
    for (
      let number = Math.max(first, Math.floor(fromAt / intervalNs) + 1);
      number < window.number;
      number++
    ) {
      const endAt = number * intervalNs;
      const exact = growth * ((endAt - fromAt) / (toAt - fromAt));
      const passed = (flags & isInt) === 0 ? exact : Math.round(exact);
      part[0] = passed - done;
      part[2] = endAt;
      this.#windows.find(number).addGrowth(slot, part);
      part[1] = endAt;
      done = passed;
    }
    part[0] = growth - done;
    part[2] = toAt;
    window.addGrowth(slot, part);
  }

  #extend(): number {
    const state = this.#used;
    this.#used += stateWidth;
    if (this.#used > this.#states.length) {
      const larger = new Float64Array(2 * this.#states.length);
      larger.set(this.#states);
      this.#states = larger;
    }
    return state;
  }
}
