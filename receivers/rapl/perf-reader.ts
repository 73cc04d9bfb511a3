import type { EnergyReader } from './energy-reader.js';
import type { PerfCounter } from './find-perf.js';
import { openPerfGroups } from './perf-group.js';
import type { PerfGroup } from './perf-group.js';

/** Reads the `power` PMU, which the kernel lets count on beyond the hardware's 32 bits. */
class PerfReader implements EnergyReader {
  readonly interface = 'perf_event';
  readonly domains;
  readonly #groups: readonly PerfGroup[];
  #isSilent = false;

  constructor(groups: readonly PerfGroup[]) {
    this.#groups = groups;
    this.domains = groups.flatMap(({ counters }) => counters.map(({ domain }) => domain));
  }

  get isSilent(): boolean {
    return this.#isSilent;
  }

  read(values: Float64Array, at: number): boolean {
    let isPossible = true;
    let isSilent = true;
    let column = at;
    for (const group of this.#groups) {
      const end = column + group.counters.length;
      if (group.fetch()) {
        isSilent = false;
        if (!group.write(values, column)) isPossible = false;
      } else values.fill(Number.NaN, column, end);
      column = end;
    }
    this.#isSilent = isSilent;
    return isPossible;
  }

  restart(): void {
    for (const group of this.#groups) group.restart();
  }

  close(): void {
    for (const group of this.#groups) group.close();
  }
}

/**
 * Opens every counter.
 * @throws PerfEventError when one cannot be opened
 */
export function openPerfReader(counters: readonly PerfCounter[]): EnergyReader {
  const groups: PerfGroup[] = [];
  try {
    for (const cpu of new Set(counters.map((counter) => counter.cpu))) {
      groups.push(...openPerfGroups(counters.filter((counter) => counter.cpu === cpu)));
    }
  } catch (error) {
    for (const group of groups) group.close();
    throw error;
  }
  return new PerfReader(groups);
}
