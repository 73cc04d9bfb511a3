import type { Column } from './column.js';

const none: readonly number[] = [];

/** Columns after which other work may run. They take less than a millisecond. */
export const columnsPerStep = 2048;

/** The values of the columns, and which of the counters were reset since the previous page. */
export class ResetWatch {
  /** By column. */
  #slots = new Int32Array(0);
  /** By column: the slot of its start; -1: unknown; -2: not a counter. */
  #startSlots = new Int32Array(0);
  /** By slot: the last value, or the last one before a gap; NaN: none. */
  #last = new Float64Array(64).fill(NaN);
  /** By slot: the last known start of the counter, in Unix seconds. */
  #startSeconds = new Float64Array(64).fill(NaN);

  /** In steps. @param startSlotOf returns the slot of the start of a counter; -1: unknown */
  *arrange(columns: readonly Column[], startSlotOf: (column: Column) => number): Generator<void, void> {
    const slots = new Int32Array(columns.length);
    const startSlots = new Int32Array(columns.length);
    for (const [i, column] of columns.entries()) {
      slots[i] = column.description.slot;
      startSlots[i] = column.isCounter ? startSlotOf(column) : -2;
      if (i % columnsPerStep === columnsPerStep - 1) yield;
    }
    this.#slots = slots;
    this.#startSlots = startSlots;
  }

  /** Must be called when another series starts to use a slot. */
  forget(slot: number): void {
    if (slot >= this.#last.length) {
      this.#last = enlarge(this.#last, slot);
      this.#startSeconds = enlarge(this.#startSeconds, slot);
    }
    this.#last[slot] = NaN;
    this.#startSeconds[slot] = NaN;
  }

  /** The start of the counter of a slot, in Unix seconds; NaN: unknown. */
  readStart(slot: number): number {
    return this.#startSeconds[slot];
  }

  /**
   * Takes the values of a page.
   * @param values by slot
   * @param row receives them by column
   * @returns the columns that were reset
   */
  follow(values: Float64Array, row: Float64Array): readonly number[] {
    let reset: number[] | undefined;
    const last = this.#last;
    for (let i = 0; i < row.length; i++) {
      const slot = this.#slots[i];
      // Tables have no infinite values.
      const value = Number.isFinite(values[slot]) ? values[slot] : NaN;
      row[i] = value;
      const startSlot = this.#startSlots[i];
      if (startSlot === -2) continue;
      const isRestarted = startSlot >= 0 && this.#followStart(slot, values[startSlot]);
      if (value < last[slot] || isRestarted) (reset ??= []).push(i);
      if (!Number.isNaN(value)) last[slot] = value;
    }
    return reset ?? none;
  }

  #followStart(slot: number, seconds: number): boolean {
    const before = this.#startSeconds[slot];
    this.#startSeconds[slot] = seconds;
    return !Number.isNaN(before) && !Number.isNaN(seconds) && seconds !== before;
  }
}

function enlarge(from: Float64Array, slot: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * (slot + 1)).fill(NaN);
  larger.set(from);
  return larger;
}
