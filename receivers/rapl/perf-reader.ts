import type { CounterGroup } from './counter-group.js';
import { nameDomain } from './domain.js';
import type { EnergyReader } from './energy-reader.js';
import type { PerfCounter } from './find-perf.js';
import { openPerfGroups } from './perf-group.js';
import { openSummedGroup } from './summed-group.js';

/** Reads the `power` PMU, which the kernel lets count on beyond the hardware's 32 bits. */
export class PerfReader implements EnergyReader {
  readonly interface = 'perf_event';
  readonly domains;
  readonly sources;
  #groups: readonly CounterGroup[];
  readonly #lives: number[];
  #isSilent = false;
  #hasGap = false;

  constructor(groups: readonly CounterGroup[]) {
    this.#groups = groups;
    const counters = groups.flatMap((group) => group.counters);
    this.domains = counters.map(({ domain }) => domain);
    this.sources = counters.map(describeSource);
    this.#lives = groups.flatMap(({ lives }) => lives);
  }

  get lives(): readonly number[] {
    return this.#lives;
  }

  get isSilent(): boolean {
    return this.#isSilent;
  }

  get hasGap(): boolean {
    return this.#hasGap;
  }

  read(values: Float64Array, at: number): boolean {
    let isSame = true;
    let counting = 0;
    let column = at;
    for (const group of this.#groups) {
      const end = column + group.counters.length;
      if (group.fetch()) {
        counting++;
        if (!group.write(values, column)) isSame = false;
      } else values.fill(Number.NaN, column, end);
      column = end;
    }
    this.#isSilent = counting === 0;
    this.#hasGap = counting < this.#groups.length;
    if (!isSame) this.#copyLives();
    return isSame;
  }

  restart(column: number): void {
    let first = 0;
    for (const group of this.#groups) {
      const index = column - first;
      if (index >= 0 && index < group.counters.length) group.restart(index);
      first += group.counters.length;
    }
    this.#copyLives();
  }

  /** Hands over the group with exactly these counters, whichever CPU reads them, where it still counts. */
  release(counters: readonly PerfCounter[]): CounterGroup | undefined {
    const wanted = identify(counters);
    const found = this.#groups.find((group) => group.isCounting && identify(group.counters) === wanted);
    this.#groups = this.#groups.filter((group) => group !== found);
    return found;
  }

  close(): void {
    for (const group of this.#groups) group.close();
  }

  #copyLives(): void {
    let column = 0;
    for (const { lives } of this.#groups) for (const life of lives) this.#lives[column++] = life;
  }
}

/** The kernel moves counters to another CPU when theirs goes offline: which one is no part of what they are. */
function identify(counters: readonly PerfCounter[]): string {
  return counters
    .map(({ domain, type, config, cpus = [] }) => [nameDomain(domain), type, config, ...cpus].join(' '))
    .toSorted()
    .join();
}

function describeSource({ event, cpu, cpus }: PerfCounter): string {
  return cpus ? `${event} on ${cpus.length} cores` : `${event} on cpu ${cpu}`;
}

/**
 * Opens every counter.
 * @param previous the reader before this one, whose counters go on where they can
 * @throws PerfEventError when one cannot be opened
 */
export function openPerfReader(counters: readonly PerfCounter[], previous?: PerfReader): PerfReader {
  const groups: CounterGroup[] = [];
  try {
    const alone = counters.filter(({ cpus }) => cpus === undefined);
    for (const cpu of new Set(alone.map((counter) => counter.cpu))) {
      const ofCpu = alone.filter((counter) => counter.cpu === cpu);
      const kept = previous?.release(ofCpu);
      groups.push(...(kept ? [kept] : openPerfGroups(ofCpu)));
    }
    for (const counter of counters) {
      if (counter.cpus) groups.push(previous?.release([counter]) ?? openSummedGroup(counter, counter.cpus));
    }
  } catch (error) {
    for (const group of groups) group.close();
    throw error;
  }
  return new PerfReader(groups);
}
