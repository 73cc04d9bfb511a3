import { CounterGroup as PerfCounterGroup, groupReadFormat } from '../../src/linux/perf/counter-group.js';
import { openPerfEvent } from '../../src/linux/perf/event.js';
import type { CounterGroup } from './counter-group.js';
import { beginLife } from './energy-reader.js';
import type { PerfCounter } from './find-perf.js';

// Counters move in steps: what one grows by between two reads may have been drawn before the first.
const stepSeconds = 0.01;

/** Counters of one CPU that one call reads together. */
export class PerfGroup implements CounterGroup {
  readonly counters: readonly PerfCounter[];
  readonly lives: number[];
  isCounting = true;
  readonly #group: PerfCounterGroup;
  readonly #scales: Float64Array;
  readonly #mostWatts: Float64Array;
  readonly #joules: Float64Array;
  /** By counter: 1 once it has a first reading. */
  readonly #isBegun: Uint8Array;
  #runningNs = 0;

  constructor(counters: readonly PerfCounter[], fds: readonly number[]) {
    this.counters = counters;
    this.lives = counters.map(beginLife);
    this.#group = new PerfCounterGroup(fds, counters.length);
    this.#scales = Float64Array.from(counters, ({ scale }) => scale);
    this.#mostWatts = Float64Array.from(counters, ({ mostWatts }) => mostWatts);
    this.#joules = new Float64Array(counters.length);
    this.#isBegun = new Uint8Array(counters.length);
  }

  fetch(): boolean {
    this.isCounting = this.#group.read() && this.#group.runningNs !== this.#runningNs;
    return this.isCounting;
  }

  write(values: Float64Array, at: number): boolean {
    const { runningNs } = this.#group;
    const seconds = (runningNs - this.#runningNs) / 1e9 + stepSeconds;
    this.#runningNs = runningNs;
    let isSame = true;
    for (let i = 0; i < this.#joules.length; i++) {
      if (this.#isBegun[i] === 0) this.#begin(i);
      let joules = this.#group.countOf(i) * this.#scales[i];
      const growth = joules - this.#joules[i];
      if (!(growth >= 0 && growth <= this.#mostWatts[i] * seconds)) {
        isSame = false;
        joules = this.#beginAnew(i);
      }
      this.#joules[i] = joules;
      values[at + i] = joules;
    }
    return isSame;
  }

  restart(index: number): void {
    this.#isBegun[index] = 0;
    this.lives[index] = beginLife();
  }

  /** @returns what its first reading shows, 0 */
  #beginAnew(i: number): number {
    this.restart(i);
    this.#begin(i);
    return 0;
  }

  #begin(i: number): void {
    this.#isBegun[i] = 1;
    this.#group.rebaseCounter(i);
    this.#joules[i] = 0;
  }

  close(): void {
    this.#group.close();
  }
}

/** A counter that cannot be opened. */
export interface PerfFailure {
  readonly counter: PerfCounter;
  readonly error: unknown;
}

/**
 * Opens counters of one CPU in as few groups as the kernel allows.
 * @param failures takes those that cannot be opened at all
 */
export function openPerfGroups(
  counters: readonly PerfCounter[],
  failures: PerfFailure[],
): readonly PerfGroup[] {
  const [leader, ...others] = counters;
  if (leader === undefined) return [];
  const fds = openLeader(leader, failures);
  if (fds.length === 0) return openPerfGroups(others, failures);
  const [together, apart] = openMembers(others, fds);
  return [new PerfGroup([leader, ...together], fds), ...openPerfGroups(apart, failures)];
}

function openLeader(counter: PerfCounter, failures: PerfFailure[]): number[] {
  try {
    return [openCounter(counter)];
  } catch (error) {
    failures.push({ counter, error });
    return [];
  }
}

/** Adds to the group what the kernel takes into it. */
function openMembers(counters: readonly PerfCounter[], fds: number[]): [PerfCounter[], PerfCounter[]] {
  const together: PerfCounter[] = [];
  const apart: PerfCounter[] = [];
  for (const counter of counters) {
    try {
      fds.push(openCounter(counter, fds[0]));
      together.push(counter);
    } catch {
      apart.push(counter);
    }
  }
  return [together, apart];
}

function openCounter(counter: PerfCounter, groupFd = -1): number {
  const { event: name, type, config, cpu } = counter;
  return openPerfEvent({ name, type, config, pid: -1, cpu, groupFd, readFormat: groupReadFormat });
}
