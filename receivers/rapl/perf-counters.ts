import { CounterGroup as PerfCounterGroup, groupReadFormat } from '../../src/linux/perf/counter-group.js';
import { openPerfEvent } from '../../src/linux/perf/event.js';
import { nameDomain } from './domain.js';
import { createCounterId, EnergyReader, type CounterGroup, type CounterPlace } from './energy-reader.js';
import type { PerfCounter } from './find-perf.js';

// Counters advance in steps: the growth between two reads may have been drawn before the first.
const stepSeconds = 0.01;

/** A counter that cannot be opened. */
export interface PerfFailure {
  readonly counter: PerfCounter;
  readonly error: unknown;
}

/** Counters of perf_event. */
interface PerfCounters extends CounterGroup {
  readonly counters: readonly PerfCounter[];
}

/** Counters of one CPU that are read with one call. The kernel widens them to 64 bits. */
export class PerfGroup implements PerfCounters {
  readonly counters: readonly PerfCounter[];
  readonly places: readonly CounterPlace[];
  readonly ids: number[];
  gaps = 0;
  readonly #group: PerfCounterGroup;
  readonly #scales: Float64Array;
  readonly #maxWatts: Float64Array;
  readonly #joules: Float64Array;
  /** By counter: 1 once it has a first reading. */
  readonly #isBegun: Uint8Array;
  #runningNs = 0;

  constructor(counters: readonly PerfCounter[], fds: readonly number[]) {
    this.counters = counters;
    this.places = counters.map(describePlace);
    this.ids = counters.map(createCounterId);
    this.#group = new PerfCounterGroup(fds, counters.length);
    this.#scales = Float64Array.from(counters, ({ scale }) => scale);
    this.#maxWatts = Float64Array.from(counters, ({ maxWatts }) => maxWatts);
    this.#joules = new Float64Array(counters.length);
    this.#isBegun = new Uint8Array(counters.length);
  }

  read(values: Float64Array, at: number): boolean {
    // The kernel has counted nothing since the last read, for example because the CPU went offline.
    const isCounting = this.#group.read() && this.#group.runningNs !== this.#runningNs;
    this.gaps = isCounting ? 0 : this.#joules.length;
    if (isCounting) return this.#write(values, at);
    values.fill(NaN, at, at + this.#joules.length);
    return true;
  }

  /** It counts from the reading that showed the reset. */
  ageMs(): number {
    return 0;
  }

  restart(index: number): void {
    this.#isBegun[index] = 0;
    this.ids[index] = createCounterId();
  }

  close(): void {
    this.#group.close();
  }

  #write(values: Float64Array, at: number): boolean {
    const { runningNs } = this.#group;
    const seconds = (runningNs - this.#runningNs) / 1e9 + stepSeconds;
    this.#runningNs = runningNs;
    let isSame = true;
    for (let i = 0; i < this.#joules.length; i++) {
      if (this.#isBegun[i] === 0) this.#begin(i);
      let joules = this.#group.countOf(i) * this.#scales[i];
      const growth = joules - this.#joules[i];
      if (!(growth >= 0 && growth <= this.#maxWatts[i] * seconds)) {
        isSame = false;
        joules = this.#reset(i);
      }
      this.#joules[i] = joules;
      values[at + i] = joules;
    }
    return isSame;
  }

  /** @returns the value at its first reading, 0 */
  #reset(i: number): number {
    this.restart(i);
    this.#begin(i);
    return 0;
  }

  #begin(i: number): void {
    this.#isBegun[i] = 1;
    this.#group.rebaseCounter(i);
    this.#joules[i] = 0;
  }
}

// Reading a core's counter wakes the core, and there are many: reading more often would cost more energy than
// it is worth.
const minMs = 100;

/** A domain that is the sum of several counters: the cores of an AMD package, read at most ten times a second. */
export class SummedGroup implements PerfCounters {
  readonly counters: readonly PerfCounter[];
  readonly places: readonly CounterPlace[];
  readonly ids = [createCounterId()];
  gaps = 0;
  readonly #parts: readonly CounterGroup[];
  readonly #nowMs: () => number;
  readonly #part = new Float64Array(1);
  #readMs = -Infinity;
  #joules = NaN;

  /** @param nowMs a monotonic clock */
  constructor(counter: PerfCounter, parts: readonly CounterGroup[], nowMs: () => number) {
    this.counters = [counter];
    this.places = [describePlace(counter)];
    this.#parts = parts;
    this.#nowMs = nowMs;
  }

  read(values: Float64Array, at: number): boolean {
    const nowMs = this.#nowMs();
    const isDue = nowMs - this.#readMs >= minMs;
    if (isDue) this.#readMs = nowMs;
    const isSame = !isDue || this.#sum();
    if (!isSame) this.#reset();
    values[at] = this.#joules;
    return isSame;
  }

  ageMs(): number {
    return 0;
  }

  restart(): void {
    this.ids[0] = createCounterId();
    this.#readMs = -Infinity;
    for (const part of this.#parts) part.restart(0);
  }

  close(): void {
    for (const part of this.#parts) part.close();
  }

  /** @returns false when one of them was reset */
  #sum(): boolean {
    let isSame = true;
    this.#joules = 0;
    for (const part of this.#parts) {
      if (!part.read(this.#part, 0)) isSame = false;
      this.#joules += this.#part[0];
    }
    this.gaps = Number.isNaN(this.#joules) ? 1 : 0;
    return isSame;
  }

  #reset(): void {
    this.restart();
    this.#sum();
  }
}

function describePlace({ domain, event, cpu, cpus }: PerfCounter): CounterPlace {
  const source = cpus ? `${event} on ${cpus.length} cores` : `${event} on cpu ${cpu}`;
  return { domain, source, path: '' };
}

/**
 * Opens every counter that can be opened.
 * @param failures receives those that cannot be opened
 * @param previous the previous reader, whose counters continue where they can
 */
export function openPerfReader(
  counters: readonly PerfCounter[],
  failures: PerfFailure[] = [],
  previous?: EnergyReader,
): EnergyReader {
  const alone = counters.filter(({ cpus }) => cpus === undefined);
  const cpus = [...new Set(alone.map(({ cpu }) => cpu))];
  const groups = cpus.flatMap((cpu): readonly CounterGroup[] => {
    const ofCpu = alone.filter((counter) => counter.cpu === cpu);
    const kept = release(previous, ofCpu);
    return kept ? [kept] : openPerfGroups(ofCpu, failures);
  });
  const sums = counters.flatMap((counter): readonly CounterGroup[] => {
    if (counter.cpus === undefined) return [];
    const kept = release(previous, [counter]);
    return kept ? [kept] : openSum(counter, counter.cpus, failures);
  });
  return new EnergyReader('perf_event', [...groups, ...sums]);
}

/** The group with exactly these counters, on any CPU, if it still counts. */
function release(
  previous: EnergyReader | undefined,
  counters: readonly PerfCounter[],
): CounterGroup | undefined {
  const wanted = identify(counters);
  const found = previous?.groups.find(
    (group) => isPerf(group) && group.gaps === 0 && identify(group.counters) === wanted,
  );
  return found && previous?.release(found);
}

function isPerf(group: CounterGroup): group is PerfCounters {
  return group instanceof PerfGroup || group instanceof SummedGroup;
}

/** The kernel moves counters to another CPU when theirs goes offline, so the CPU is not part of their identity. */
function identify(counters: readonly PerfCounter[]): string {
  return counters
    .map(({ domain, type, config, cpus = [] }) => [nameDomain(domain), type, config, ...cpus].join(' '))
    .toSorted()
    .join();
}

/**
 * Opens counters of one CPU in as few groups as the kernel allows.
 * @param failures receives those that cannot be opened at all
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

/** Adds the counters that the kernel accepts to the group. */
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

function openSum(
  counter: PerfCounter,
  cpus: readonly number[],
  failures: PerfFailure[],
): readonly CounterGroup[] {
  try {
    return [openSummedGroup(counter, cpus)];
  } catch (error) {
    failures.push({ counter, error });
    return [];
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
