import type { CounterGroup } from './counter-group.js';
import { nameDomain } from './domain.js';
import type { EnergyReader } from './energy-reader.js';
import type { PerfCounter } from './find-perf.js';
import type { Note } from './metrics.js';
import { openPerfGroups } from './perf-group.js';
import type { PerfFailure } from './perf-group.js';
import { openSummedGroup } from './summed-group.js';

/** Reads the `power` PMU, which the kernel lets count on beyond the hardware's 32 bits. */
export class PerfReader implements EnergyReader {
  readonly interface = 'perf_event';
  readonly domains;
  readonly sources;
  readonly paths;
  readonly failures;
  readonly copies = [];
  #groups: readonly CounterGroup[];
  readonly #lives: number[];
  #isSilent = false;
  #hasGap = false;

  /** @param failures counters that could not be opened */
  constructor(groups: readonly CounterGroup[], failures: readonly PerfFailure[] = []) {
    this.failures = failures;
    this.#groups = groups;
    const counters = groups.flatMap((group) => group.counters);
    this.domains = counters.map(({ domain }) => domain);
    this.sources = counters.map(describeSource);
    this.paths = counters.map(() => '');
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

  checkCopies(): readonly Note[] {
    return [];
  }

  /** It counts from the reading that shows the reset. */
  ageMs(): number {
    return 0;
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
 * Opens every counter that can be opened.
 * @param previous the reader before this one, whose counters go on where they can
 */
export function openPerfReader(counters: readonly PerfCounter[], previous?: PerfReader): PerfReader {
  const failures: PerfFailure[] = [];
  const alone = counters.filter(({ cpus }) => cpus === undefined);
  const cpus = [...new Set(alone.map(({ cpu }) => cpu))];
  const groups = cpus.flatMap((cpu): readonly CounterGroup[] => {
    const ofCpu = alone.filter((counter) => counter.cpu === cpu);
    const kept = previous?.release(ofCpu);
    return kept ? [kept] : openPerfGroups(ofCpu, failures);
  });
  const summed = counters.flatMap((counter) =>
    counter.cpus ? openSum(counter, counter.cpus, { failures, previous }) : [],
  );
  return new PerfReader([...groups, ...summed], failures);
}

function openSum(
  counter: PerfCounter,
  cpus: readonly number[],
  { failures, previous }: { readonly failures: PerfFailure[]; readonly previous: PerfReader | undefined },
): readonly CounterGroup[] {
  try {
    return [previous?.release([counter]) ?? openSummedGroup(counter, cpus)];
  } catch (error) {
    failures.push({ counter, error });
    return [];
  }
}
