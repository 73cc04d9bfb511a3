import type { HistogramTable } from '../../src/model/histogram-table.js';
import { createPlans, findOrAdd } from '../../src/model/plan.js';
import type { HistogramMetric, HistogramSeries } from '../../src/model/series.js';
import { freeBucketLabel } from '../../src/prometheus/histogram-buckets.js';
import { findLabels, renderLabels, type Identity } from '../../src/prometheus/labels.js';
import { translateMetric, type FamilyName } from '../../src/prometheus/names.js';
import type { Families } from './families.js';

/** The last row of a series. It need not be copied, since tables never change. */
export interface HistogramEntry {
  readonly series: HistogramSeries;
  /** The text between the braces, which other lines share. */
  readonly labels: string;
  table: HistogramTable;
  row: number;
  endedMs: number | undefined;
}

/** The histograms of one name. */
export interface HistogramFamily extends FamilyName {
  readonly metric: HistogramMetric;
  readonly entries: Map<string, HistogramEntry>;
}

/** An immutable histogram on a page. */
export type ShownHistogram = Readonly<Pick<HistogramEntry, 'series' | 'labels' | 'table' | 'row'>>;

/** The histograms of a family at one instant. */
export interface HistogramLines {
  readonly family: HistogramFamily;
  readonly shown: readonly ShownHistogram[];
}

export interface HistogramStoreOptions {
  readonly identity: Identity;
  /** The registry of names. */
  readonly families: Families;
  warn(message: string): void;
}

/** The last histogram of every series, with unique names and labels. */
export class HistogramStore {
  readonly #options: HistogramStoreOptions;
  readonly #families = new Map<string, HistogramFamily>();
  readonly #bySeries = new Map<HistogramSeries, HistogramEntry>();
  readonly #hidden = new WeakSet<HistogramSeries>();
  readonly #warned = new Set<string>();

  constructor(options: HistogramStoreOptions) {
    this.#options = options;
  }

  /** @param nowMs CLOCK_MONOTONIC in milliseconds */
  take(table: HistogramTable, nowMs: number): void {
    // An ended series releases its labels for one that starts in the same table.
    for (const one of table.ended ?? []) this.#end(one, nowMs);
    for (const [row, series] of table.series.entries()) {
      const entry = this.#bySeries.get(series) ?? this.#open(series, table);
      if (entry === undefined) continue;
      entry.table = table;
      entry.row = row;
    }
    for (const one of table.ended ?? []) this.#end(one, nowMs);
  }

  /** @param staysMs how long an ended series stays on the page */
  takeSnapshot(nowMs: number, staysMs: number): readonly HistogramLines[] {
    const families = [...this.#families.values()].toSorted((a, b) => (a.family < b.family ? -1 : 1));
    return families.flatMap((family) => {
      this.#sweep(family, nowMs - staysMs);
      const shown = [...family.entries.values()].flatMap(({ series, labels, table, row }) =>
        Number.isNaN(table.counts[row]) ? [] : [{ series, labels, table, row }],
      );
      return shown.length === 0 ? [] : [{ family, shown }];
    });
  }

  #sweep({ entries }: HistogramFamily, beforeMs: number): void {
    for (const [labels, { endedMs }] of entries) {
      if (endedMs !== undefined && endedMs <= beforeMs) entries.delete(labels);
    }
  }

  #end(series: HistogramSeries, nowMs: number): void {
    const entry = this.#bySeries.get(series);
    if (entry) entry.endedMs = nowMs;
    this.#bySeries.delete(series);
  }

  #open(series: HistogramSeries, table: HistogramTable): HistogramEntry | undefined {
    if (this.#hidden.has(series)) return undefined;
    const family = this.#familyOf(series.metric);
    const labels = family === null ? undefined : this.#findLabels(series, family);
    if (labels === undefined) {
      this.#hidden.add(series);
      return undefined;
    }
    const entry = { series, labels, table, row: 0, endedMs: undefined };
    family?.entries.set(labels, entry);
    this.#bySeries.set(series, entry);
    return entry;
  }

  /** Null, with one warning, if a different metric has a name. */
  readonly #familyOf = createPlans((metric: HistogramMetric): HistogramFamily | null => {
    const name = translateMetric({ ...metric, kind: 'updowncounter' });
    const known = this.#families.get(name.family);
    if (known?.metric.name === metric.name && known.metric.unit === metric.unit) return known;
    const names = ['', '_bucket', '_sum', '_count'].map((suffix) => name.family + suffix);
    if (known || !this.#options.families.reserve(names)) {
      this.#options.warn(
        `Cannot expose the histogram "${metric.name}" as "${name.family}": expected a free name, found that of another metric`,
      );
      return null;
    }
    return findOrAdd(this.#families, name.family, () => ({
      ...name,
      metric,
      entries: new Map<string, HistogramEntry>(),
    }));
  });

  /** Labels that no other live series of the family has. */
  #findLabels(series: HistogramSeries, { family, entries }: HistogramFamily): string | undefined {
    const { text, isTaken } = findLabels(series, this.#options.identity.of(series.resource), {
      render: labelsOf,
      findHolder: (labels) => {
        const holder = entries.get(labels);
        return holder?.endedMs === undefined ? holder?.series : undefined;
      },
    });
    if (!isTaken) return text;
    this.#refuse(series, `${family}{${text}}`);
    return undefined;
  }

  #refuse({ metric: { name } }: HistogramSeries, shown: string): void {
    if (this.#warned.has(name)) return;
    this.#warned.add(name);
    this.#options.warn(
      `Cannot expose a series of "${name}": expected labels of its own, found another one with ${shown}`,
    );
  }
}

/** Without braces. */
function labelsOf(attributes: HistogramSeries['attributes']): string {
  return renderLabels(freeBucketLabel(attributes)).slice(1, -1);
}
