import type { Log } from '../../src/component/log.js';
import { nameDomain } from './domain.js';
import { nameFolder } from './find-powercap.js';
import type { Zone } from './find-powercap.js';
import { readEnergy } from './zone-aliases.js';

const leastMicrojoules = 1_000_000;
const mostDeviation = 0.05;

/** A zone that is read and another folder that shows the same domain. */
interface Pair {
  readonly zone: Zone;
  readonly copy: string;
  readonly microjoules: number;
  readonly copyMicrojoules: number;
}

/** Compares how zones and their copies grow, and says so when they do not agree: one of them is wrong. */
export class CopyWatch {
  readonly #log: Log;
  #pairs: readonly Pair[];
  readonly #doubtful = new Set<string>();

  constructor(zones: readonly Zone[], log: Log) {
    this.#log = log;
    this.#pairs = zones.flatMap((zone) => zone.copies.map((copy) => readPair(zone, copy)));
  }

  get hasCopies(): boolean {
    return this.#pairs.length > 0;
  }

  /** Compares what was counted since the last time, or since the beginning. */
  check(): void {
    this.#pairs = this.#pairs.map((before) => {
      const now = readPair(before.zone, before.copy);
      const growth = now.microjoules - before.microjoules;
      const copyGrowth = now.copyMicrojoules - before.copyMicrojoules;
      // Not at a wrap, nor when one could not be read.
      if (!(growth >= 0 && copyGrowth >= 0)) return now;
      if (Math.max(growth, copyGrowth) < leastMicrojoules) return before;
      this.#judge(now, growth, copyGrowth);
      return now;
    });
  }

  #judge({ zone, copy }: Pair, growth: number, copyGrowth: number): void {
    const isDoubtful = Math.abs(growth - copyGrowth) > mostDeviation * Math.max(growth, copyGrowth);
    if (isDoubtful === this.#doubtful.has(copy)) return;
    const [name, read, other] = [nameDomain(zone.domain), nameFolder(zone.path), nameFolder(copy)];
    if (isDoubtful) {
      this.#doubtful.add(copy);
      const counted = `${round(growth)} J and ${round(copyGrowth)} J`;
      this.#log.warn(`${read} and ${other}, both ${name}, do not agree: ${counted}; the first is read`);
    } else {
      this.#doubtful.delete(copy);
      this.#log.info(`${read} and ${other}, both ${name}, agree again`);
    }
  }
}

function readPair(zone: Zone, copy: string): Pair {
  const microjoules = readEnergy(zone.path) ?? Number.NaN;
  return { zone, copy, microjoules, copyMicrojoules: readEnergy(copy) ?? Number.NaN };
}

function round(microjoules: number): number {
  return Math.round(microjoules / 1e4) / 100;
}
