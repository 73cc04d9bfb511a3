import type { CounterGroup } from './counter-group.js';
import { beginLife } from './energy-reader.js';
import type { PerfCounter } from './find-perf.js';
import { openPerfGroups } from './perf-group.js';
import type { PerfFailure } from './perf-group.js';

// Reading a core's counter wakes the core, and there are many: more often would cost more than it shows.
const leastMs = 100;

/** A domain that is the sum of several counters: the cores of an AMD package, at most ten times a second. */
export class SummedGroup implements CounterGroup {
  readonly counters: readonly PerfCounter[];
  readonly lives = [beginLife()];
  isCounting = true;
  readonly #parts: readonly CounterGroup[];
  readonly #nowMs: () => number;
  readonly #part = new Float64Array(1);
  #fetchedMs = -Infinity;
  #isFresh = false;
  #joules = Number.NaN;

  /** @param nowMs a clock that never runs backwards */
  constructor(counter: PerfCounter, parts: readonly CounterGroup[], nowMs: () => number) {
    this.counters = [counter];
    this.#parts = parts;
    this.#nowMs = nowMs;
  }

  fetch(): boolean {
    const nowMs = this.#nowMs();
    this.#isFresh = nowMs - this.#fetchedMs >= leastMs;
    if (!this.#isFresh) return this.isCounting;
    this.#fetchedMs = nowMs;
    this.isCounting = true;
    for (const part of this.#parts) if (!part.fetch()) this.isCounting = false;
    return this.isCounting;
  }

  write(values: Float64Array, at: number): boolean {
    const isSame = !this.#isFresh || this.#sum();
    if (!isSame) this.#beginAnew();
    values[at] = this.#joules;
    return isSame;
  }

  restart(): void {
    this.lives[0] = beginLife();
    this.#fetchedMs = -Infinity;
    for (const part of this.#parts) part.restart(0);
  }

  close(): void {
    for (const part of this.#parts) part.close();
  }

  #sum(): boolean {
    let isSame = true;
    this.#joules = 0;
    for (const part of this.#parts) {
      if (!part.write(this.#part, 0)) isSame = false;
      this.#joules += this.#part[0];
    }
    return isSame;
  }

  #beginAnew(): void {
    this.restart();
    this.#sum();
  }
}

/**
 * Opens the counters of every CPU of a sum.
 * @throws PerfEventError when one cannot be opened: a sum without it would be wrong
 */
export function openSummedGroup(counter: PerfCounter, cpus: readonly number[]): CounterGroup {
  const failures: PerfFailure[] = [];
  const parts = cpus.flatMap((cpu) => openPerfGroups([{ ...counter, cpu }], failures));
  if (failures.length === 0) return new SummedGroup(counter, parts, () => performance.now());
  for (const part of parts) part.close();
  throw failures[0].error;
}
