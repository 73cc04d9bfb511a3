import { describeError } from '../../src/errors.js';
import { runInSlices, slices } from '../../src/linux/slices.js';
import type { Table } from '../../src/model/table.js';
import type { SeriesStore } from './store.js';

/**
 * Passes tables to a store, in order. A table with many new series, whose labels take milliseconds, or with
 * many ended series is taken in slices, and later tables wait for it.
 */
export class Intake {
  readonly #store: SeriesStore;
  readonly #warn: (message: string) => void;
  readonly #waiting: (() => Generator<void, void>)[] = [];
  #settled: Promise<void> | undefined;

  constructor(store: SeriesStore, warn: (message: string) => void) {
    this.#store = store;
    this.#warn = warn;
  }

  /** Fulfilled when no table is waiting; undefined if none is. Until then the store contains a part of a table. */
  get settled(): Promise<void> | undefined {
    return this.#settled;
  }

  /** @param nowMs CLOCK_MONOTONIC in milliseconds */
  take(table: Table, nowMs: number): void {
    if (this.#settled === undefined && !this.#store.isLong(table, nowMs))
      return this.#store.take(table, nowMs);
    this.#wait(() => this.#store.takeInSteps(table, nowMs));
  }

  /** Removes expired series, in slices if that takes long: await `settled` for its end. */
  sweep(nowMs: number): void {
    if (this.#store.isSweepLong(nowMs)) this.#wait(() => this.#store.sweepInSteps(nowMs));
  }

  #wait(begin: () => Generator<void, void>): void {
    this.#waiting.push(begin);
    this.#settled ??= this.#takeWaiting();
  }

  /** Never rejects. */
  async #takeWaiting(): Promise<void> {
    // Work before the exporter has used up some of the slice, too.
    await slices.letOthersRun();
    for (const begin of this.#waiting) {
      try {
        await runInSlices(begin());
      } catch (error) {
        this.#warn(`Cannot show a table: ${describeError(error)}`);
      }
    }
    this.#waiting.length = 0;
    this.#settled = undefined;
  }
}
