import { createPlans } from '../../src/model/plan.js';
import type { Metric, Series } from '../../src/model/series.js';
import { nameFamily, type FamilyName } from '../../src/prometheus/names.js';

/** One line of the page. */
export interface Entry {
  /** Whose values it shows: the newest one where several series are the same. */
  series: Series;
  readonly family: Family;
  /** The line up to the value. */
  readonly prefix: string;
  /** The last reading. NaN: none, and then no line. */
  value: number;
  /** CLOCK_MONOTONIC in milliseconds at which the series ended; undefined while it lives. */
  endedMs: number | undefined;
}

/** The series of one name. */
export interface Family extends FamilyName {
  readonly metric: Metric;
  readonly entries: Set<Entry>;
}

/** The families by their names, which no two may share. */
export class Families {
  readonly #bySample = new Map<string, Family>();
  readonly #names = new Set<string>();
  readonly #warned = new Set<string>();
  readonly #warn: (message: string) => void;

  /** @param reserved names that no metric may have */
  constructor(reserved: readonly string[], warn: (message: string) => void) {
    for (const name of reserved) this.#names.add(name);
    this.#warn = warn;
  }

  /** The family of a metric; null, with one warning, where its name is taken by a different metric. */
  readonly find = createPlans((metric: Metric) => this.#claim(metric) ?? null);

  #claim(metric: Metric): Family | undefined {
    const name = nameFamily(metric);
    const known = this.#bySample.get(name.sample);
    if (known && isSame(known.metric, metric)) return known;
    if (known || this.#names.has(name.sample) || this.#names.has(name.family)) {
      this.#refuse(metric, name.sample, known?.metric);
      return undefined;
    }
    const family = { ...name, metric, entries: new Set<Entry>() };
    this.#bySample.set(name.sample, family);
    this.#names.add(name.sample).add(name.family);
    return family;
  }

  /** In the order of their names. */
  list(): readonly Family[] {
    return [...this.#bySample.values()].toSorted((a, b) => (a.sample < b.sample ? -1 : 1));
  }

  #refuse(metric: Metric, sample: string, holder: Metric | undefined): void {
    const refused = describe(metric);
    if (this.#warned.has(refused)) return;
    this.#warned.add(refused);
    const taken = holder ? describe(holder) : 'another metric';
    this.#warn(`Cannot expose ${refused} as "${sample}": ${taken} has this name`);
  }
}

function isSame(a: Metric, b: Metric): boolean {
  return a === b || (a.name === b.name && a.unit === b.unit && a.kind === b.kind);
}

function describe({ name, kind, unit }: Metric): string {
  return `the ${kind} "${name}" in "${unit}"`;
}
