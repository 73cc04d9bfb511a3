import { createPlans } from '../../src/model/plan.js';
import { seriesKey, type Attributes, type Series } from '../../src/model/series.js';
import { floorPower } from '../../src/model/shared-metrics.js';
import type { Table } from '../../src/model/table.js';
import { EnergyHistory } from './energy-history.js';
import { Families, type Entry, type Family, type Samples, type Snapshot } from './exposition.js';
import { createIdentity, findDifference, HostResource, renderLabels, type Identity } from './labels.js';

export interface StoreOptions {
  /** Resource attributes that become labels. */
  readonly identityLabels: readonly string[];
  /** What receivers say of the machine. */
  readonly host: Attributes;
  /** What the environment of the collector says of everything: the name of its own service. */
  readonly common: Attributes;
  readonly endedForMs: number;
  /** Whether samples of counters come with the instant at which they were 0. */
  readonly hasStarts?: boolean;
  warn(message: string): void;
}

/** A page of more lines costs the agent and every Prometheus that reads it more than a machine is worth. */
const maxLines = 10_000;

/** Prometheus drops what it has not seen for 5 min: a client that comes less often is a person. */
const longestPauseMs = 300_000;

/** The last value of every series, under names and labels that no two share. */
export class SeriesStore {
  readonly #options: StoreOptions;
  readonly #identity: Identity;
  readonly #host: HostResource;
  readonly #families: Families;
  readonly #byPrefix = new Map<string, Entry>();
  readonly #bySeries = new Map<Series, Entry>();
  readonly #planOf = createPlans((series: readonly Series[]) => series.map((one) => this.#entryOf(one)));
  readonly #warned = new Set<string>();
  /** A page of more lines is worth a warning. */
  #warnAbove = maxLines;
  readonly #energy = new EnergyHistory();
  /** In the order of their ends. */
  readonly #ended: { readonly entry: Entry; readonly atMs: number }[] = [];
  #lastSnapshotMs: number | undefined;
  /** Time between the last two snapshots. */
  #pauseMs = 0;

  constructor(options: StoreOptions) {
    this.#options = options;
    const { identityLabels, host, common } = options;
    this.#identity = createIdentity(identityLabels, { ...common, ...host });
    this.#host = new HostResource(host, identityLabels, common);
    this.#families = new Families(['', 'target', 'target_info'], options.warn);
  }

  /** @param nowMs CLOCK_MONOTONIC in milliseconds */
  take(table: Table, nowMs: number): void {
    const { series, values, ended = [] } = table;
    this.#energy.take(table);
    // What has ended leaves its labels to what begins in the same table, say to a process with the same pid.
    for (const one of ended) this.#end(one, nowMs);
    const entries = this.#planOf(series);
    const lastRow = values.length - series.length;
    if (lastRow >= 0) {
      for (let i = 0; i < entries.length; i++) entries[i].value = values[lastRow + i];
    }
    // What had its first and last row in this table was not known before.
    for (const one of ended) this.#end(one, nowMs);
    if (ended.length > 0) this.#sweep(nowMs);
  }

  /** Copies the values, so that all of a page are of one instant however long it takes to write it. */
  takeSnapshot(nowMs: number): Snapshot {
    this.#sweep(nowMs);
    this.#pauseMs = Math.min(nowMs - (this.#lastSnapshotMs ?? nowMs), longestPauseMs);
    this.#lastSnapshotMs = nowMs;
    const all = this.#families.list().map((family) => this.#takeSamples(family));
    this.#warnOfSize(all.reduce((count, { values }) => count + values.length, 0));
    const families = all.filter(({ values }) => values.length > 0);
    return { host: this.#host.attributes, families, hasEnergy: families.some(showsEnergy) };
  }

  /** Again only once the page has twice as many lines. */
  #warnOfSize(lines: number): void {
    if (lines <= this.#warnAbove) return;
    this.#warnAbove = 2 * lines;
    this.#options.warn(
      `The page has ${lines} lines, expected at most ${maxLines}; limit the processes that the attribution processor ` +
        'shows, switch metrics of receivers off or drop them with the filter processor',
    );
  }

  #takeSamples(family: Family): Samples {
    const entries = [...family.entries].filter(({ value }) => !Number.isNaN(value));
    const hasStarts = this.#options.hasStarts === true && family.metric.kind === 'counter';
    return {
      family,
      prefixes: entries.map(({ prefix }) => prefix),
      values: entries.map(({ series, value }) => this.#energy.findSettled(series) ?? value),
      ...(hasStarts && { starts: entries.map(renderStart) }),
    };
  }

  #entryOf(series: Series): Entry {
    const known = this.#bySeries.get(series);
    if (known) return known;
    this.#host.consider(series.resource);
    const family = this.#families.find(series.metric);
    const entry = family ? this.#claim(series, family) : undefined;
    if (entry === undefined) return createHiddenEntry(series);
    entry.series = series;
    entry.endedMs = undefined;
    this.#bySeries.set(series, entry);
    return entry;
  }

  /** Finds labels that no other live series has. */
  #claim(series: Series, family: Family): Entry | undefined {
    let identity = this.#identity.of(series.resource);
    for (;;) {
      const prefix = `${family.sample}${renderLabels({ ...identity, ...series.attributes })} `;
      const holder = this.#byPrefix.get(prefix);
      if (holder === undefined) return this.#add({ series, family, prefix, value: NaN, endedMs: undefined });
      if (seriesKey(holder.series) === seriesKey(series)) return holder;
      if (holder.endedMs !== undefined) {
        this.#remove(holder);
        continue;
      }
      const wider = { ...identity, ...findDifference(series.resource, holder.series.resource) };
      if (Object.keys(wider).length === Object.keys(identity).length) return this.#refuse(series, prefix);
      identity = wider;
    }
  }

  #refuse({ metric }: Series, prefix: string): undefined {
    if (this.#warned.has(metric.name)) return;
    this.#warned.add(metric.name);
    this.#options.warn(
      `Cannot expose a series of "${metric.name}": expected labels of its own, found another one with ${prefix.trim()}`,
    );
  }

  #add(entry: Entry): Entry {
    this.#byPrefix.set(entry.prefix, entry);
    entry.family.entries.add(entry);
    return entry;
  }

  #remove(entry: Entry): void {
    if (this.#byPrefix.get(entry.prefix) !== entry) return;
    this.#byPrefix.delete(entry.prefix);
    this.#bySeries.delete(entry.series);
    entry.family.entries.delete(entry);
  }

  #end(series: Series, nowMs: number): void {
    const entry = this.#bySeries.get(series);
    this.#bySeries.delete(series);
    // A series that started again has the entry of the one that ended.
    if (entry?.series !== series) return;
    entry.endedMs = nowMs;
    this.#ended.push({ entry, atMs: nowMs });
  }

  /** Drops what ended long enough ago. */
  #sweep(nowMs: number): void {
    const stays = this.#findStayMs(nowMs);
    const kept = this.#ended.findIndex(({ atMs }) => nowMs - atMs < stays);
    const gone = this.#ended.splice(0, kept < 0 ? this.#ended.length : kept);
    for (const { entry, atMs } of gone) {
      // It may live again, or have ended again since.
      if (entry.endedMs === atMs) this.#remove(entry);
    }
  }

  /** Long enough for two scrapes while the page is scraped. */
  #findStayMs(nowMs: number): number {
    const twoScrapesMs = 2 * this.#pauseMs + 1000;
    const isScraped = this.#lastSnapshotMs !== undefined && nowMs - this.#lastSnapshotMs <= twoScrapesMs;
    return Math.max(this.#options.endedForMs, isScraped ? twoScrapesMs : 0);
  }
}

/** Whether joules or watts of this machine are among the samples: not only its floor, which is a setting or a model. */
function showsEnergy({ family: { metric }, values }: Samples): boolean {
  const isEnergy = (metric.unit === 'J' || metric.unit === 'W') && metric.name !== floorPower.name;
  return isEnergy && values.some((value) => value !== 0);
}

/** The line that OpenMetrics has beside a counter: Unix time in seconds. */
function renderStart({ family, prefix, series }: Entry): string {
  const seconds = Number(series.start / 1_000_000n) / 1000;
  return `${family.family}_created${prefix.slice(family.sample.length)}${seconds}\n`;
}

/** Takes the values of a series that is not on the page. */
function createHiddenEntry(series: Series): Entry {
  const metric = series.metric;
  const family = { metric, sample: '', family: '', unit: '', entries: new Set<Entry>() };
  return { series, family, prefix: '', value: NaN, endedMs: undefined };
}
