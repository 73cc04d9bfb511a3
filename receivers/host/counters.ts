import type { Attributes, Metric, Resource, Series } from '../../src/model/series.js';
import { Counts } from './counts.js';

/** A counter of the kernel: what it becomes, and how it can be read. */
export interface CounterColumn {
  readonly metric: Metric;
  readonly attributes: Attributes;
  /** The kernel's units in one of ours: 100 ticks in a second, 1/512 sectors in a byte. */
  readonly perUnit: number;
  /** A fall by no more than this, in the kernel's units, is noise: the counter waits until it is made up for. */
  readonly mayFall?: number;
  /** The kernel counts it modulo 2^32. */
  readonly wraps?: boolean;
}

/**
 * The counters of one thing, say a disk, from its first reading on. The kernel counts since the thing appeared;
 * what it did before we looked is not ours to tell, so the first reading is 0.
 */
export class Counters {
  readonly series: readonly Series[];
  /** The values of the last reading, in the order of the columns. */
  readonly values: Float64Array;
  readonly #columns: readonly CounterColumn[];
  readonly #first: Counts;
  readonly #last: Counts;
  readonly #wraps: Float64Array;

  constructor(columns: readonly CounterColumn[], counts: Counts, resource: Resource, start: bigint) {
    this.series = columns.map(({ metric, attributes }) => ({ metric, resource, attributes, start }));
    this.values = new Float64Array(columns.length);
    this.#columns = columns;
    this.#first = new Counts(columns.length);
    this.#last = new Counts(columns.length);
    this.#wraps = new Float64Array(columns.length);
    columns.forEach((_, i) => {
      this.#first.copy(i, counts, i);
      this.#last.copy(i, counts, i);
    });
  }

  /** Whether the thing began to count anew since the last reading: it was unplugged, or its driver reloaded. */
  wasReset(counts: Counts): boolean {
    return this.#columns.some(
      ({ wraps, mayFall = 0 }, i) => wraps !== true && counts.since(this.#last, i) < -mayFall,
    );
  }

  /** Takes a reading. */
  update(counts: Counts): void {
    this.#columns.forEach(({ perUnit, wraps }, i) => {
      if (wraps === true && counts.since(this.#last, i) < 0) this.#wraps[i]++;
      const count = counts.since(this.#first, i) + this.#wraps[i] * 2 ** 32;
      this.values[i] = Math.max(this.values[i], count / perUnit);
      this.#last.copy(i, counts, i);
    });
  }
}
