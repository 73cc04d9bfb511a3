import type { HistogramTable } from '../../src/model/histogram-table.js';
import { createPlans } from '../../src/model/plan.js';
import { seriesKey, type Attributes, type Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import {
  createIdentity,
  findLabels,
  HostResource,
  renderLabels,
  SharedTexts,
  type Identity,
} from '../../src/prometheus/labels.js';
import { LargeMap } from '../../src/prometheus/large-map.js';
import { EnergyHistory } from './energy-history.js';
import { Families, Family, type Entry } from './families.js';
import { HistogramStore } from './histograms.js';
import { SnapshotBuilder, type Snapshot } from './snapshot.js';

export interface StoreOptions {
  /** Resource attributes that become labels. */
  readonly identityLabels: readonly string[];
  /** The machine's attributes, as reported by receivers. */
  readonly host: Attributes;
  /** Attributes of everything, from the environment of the collector: its service name. */
  readonly common: Attributes;
  readonly endedForMs: number;
  /** Whether samples of counters include the instant at which they were 0. */
  readonly hasStarts?: boolean;
  warn(message: string): void;
}

/** A larger page costs the agent and every Prometheus that reads it more than a machine justifies. */
const maxLines = 10_000;

/** Creating their labels takes a fraction of a millisecond. */
const seriesPerStep = 128;

/** Storing their values takes a fraction of a millisecond. */
const valuesPerStep = 8192;

/** As many readings of a meter take a fraction of a millisecond. */
const rowsPerStep = 10_000;

/** Prometheus drops series that it has not seen for 5 min: a client with longer pauses is a person. */
const longestPauseMs = 300_000;

/** Times of tables have smaller rounding errors, and readings on a page are farther apart. */
const sameInstantNs = 1e6;

/** When a table is taken, in milliseconds of CLOCK_MONOTONIC, and the Unix time of its last row in nanoseconds. */
interface TableTime {
  readonly nowMs: number;
  readonly atNs: number;
}

/** A series that ended, and its end. */
interface Ended {
  readonly entry: Entry;
  readonly atMs: number;
  readonly atNs: number;
}

/** The last value of every series, with unique names and labels. */
export class SeriesStore {
  readonly #options: StoreOptions;
  readonly #identity: Identity;
  readonly #host: HostResource;
  readonly #families: Families;
  readonly #histograms: HistogramStore;
  readonly #texts = new SharedTexts();
  readonly #bySeries = new LargeMap<Series, Entry>();
  /** The entry of each column. */
  readonly #plans = new WeakMap<readonly Series[], readonly Entry[]>();
  /** The families of a table that are not counters. */
  readonly #gaugesOf = createPlans((series: readonly Series[]) => {
    const metrics = new Set(series.map(({ metric }) => metric).filter(({ kind }) => kind !== 'counter'));
    return [...metrics].flatMap((metric) => this.#families.find(metric) ?? []);
  });
  readonly #warned = new Set<string>();
  /** Number of lines, including those without a value. */
  #lines = 0;
  /** Number of lines above which a warning is logged. */
  #warnAbove = maxLines;
  readonly #energy = new EnergyHistory();
  /** In the order of their ends. */
  readonly #ended: Ended[] = [];
  #lastSnapshotMs: number | undefined;
  /** Time between the last two snapshots. */
  #pauseMs = 0;

  constructor(options: StoreOptions) {
    this.#options = options;
    const { identityLabels, host, common } = options;
    this.#identity = createIdentity(identityLabels, { ...common, ...host });
    this.#host = new HostResource(host, identityLabels, common);
    this.#families = new Families(['', 'target', 'target_info'], options.warn);
    this.#histograms = new HistogramStore({
      identity: this.#identity,
      families: this.#families,
      warn: options.warn,
    });
  }

  /**
   * Whether a table takes more than one step: it has many series whose entries must be found or removed, or
   * many readings of meters.
   */
  isLong({ series, offsets, ended = [] }: Table, nowMs: number): boolean {
    if (offsets.length > rowsPerStep) return true;
    if (ended.length > 0 && (ended.length > seriesPerStep || this.isSweepLong(nowMs))) return true;
    return series.length > (this.#plans.has(series) ? valuesPerStep : seriesPerStep);
  }

  /** Whether removing expired series takes more than one step. */
  isSweepLong(nowMs: number): boolean {
    const ended = this.#ended.at(seriesPerStep);
    return ended !== undefined && nowMs - ended.atMs >= this.#findStayMs(nowMs);
  }

  /** @param nowMs CLOCK_MONOTONIC in milliseconds */
  take(table: Table, nowMs: number): void {
    for (const _ of this.takeInSteps(table, nowMs));
  }

  /** Takes a table of histograms. */
  takeHistograms(table: HistogramTable, nowMs: number): void {
    this.#histograms.take(table, nowMs);
  }

  /** As `take`, in steps that each take a fraction of a millisecond. No other table may be taken in between. */
  *takeInSteps(table: Table, nowMs: number): Generator<void, void> {
    const { series, values, ended = [] } = table;
    const time = { nowMs, atNs: Number(table.epoch) + (table.offsets.at(-1) ?? 0) };
    yield* this.#energy.takeInSteps(table);
    // An ended series releases its labels for one that starts in the same table, for example of a process with
    // the same pid.
    yield* this.#endAll(ended, time);
    const entries = this.#plans.get(series) ?? (yield* this.#plan(series));
    const lastRow = values.length - series.length;
    if (lastRow >= 0) {
      for (const family of this.#gaugesOf(series)) family.newestNs = Math.max(family.newestNs, time.atNs);
      for (let i = 0; i < entries.length; i++) {
        if (i > 0 && i % valuesPerStep === 0) yield;
        entries[i].block.values[entries[i].index] = values[lastRow + i];
      }
    }
    // A series whose first and last rows are in this table was not known before.
    yield* this.#endAll(ended, time);
    if (ended.length > 0) yield* this.sweepInSteps(nowMs);
  }

  *#plan(series: readonly Series[]): Generator<void, readonly Entry[]> {
    const entries: Entry[] = [];
    for (const one of series) {
      if (entries.length > 0 && entries.length % seriesPerStep === 0) yield;
      entries.push(this.#entryOf(one));
    }
    this.#plans.set(series, entries);
    return entries;
  }

  *#endAll(ended: readonly Series[], time: TableTime): Generator<void, void> {
    for (const [i, one] of ended.entries()) {
      if (i > 0 && i % seriesPerStep === 0) yield;
      this.#end(one, time);
    }
  }

  /** Copies the values, so that all values of a page are of one instant, however long writing it takes. */
  takeSnapshot(nowMs: number): Snapshot {
    for (const _ of this.sweepInSteps(nowMs));
    this.#hidePast();
    this.#pauseMs = Math.min(nowMs - (this.#lastSnapshotMs ?? nowMs), longestPauseMs);
    this.#lastSnapshotMs = nowMs;
    const snapshot = new SnapshotBuilder(this.#lines, this.#energy);
    const families = this.#families.list().flatMap((family) => snapshot.take(family) ?? []);
    this.#warnOfSize(snapshot.lines);
    const { values, hasEnergy } = snapshot;
    const { hasStarts = false } = this.#options;
    const histograms = this.#histograms.takeSnapshot(nowMs, this.#findStayMs(nowMs));
    return { host: this.#host.attributes, families, histograms, values, hasStarts, hasEnergy };
  }

  /** A gauge that ended is not shown together with later ones: a sum of power would count a watt twice. */
  #hidePast(): void {
    for (const { entry, atMs, atNs } of this.#ended) {
      const { family, block, index, endedMs } = entry;
      const isPast = family.newestNs > atNs + sameInstantNs;
      if (isPast && endedMs === atMs && index >= 0) block.values[index] = NaN;
    }
  }

  /** The next warning follows only when the page has twice as many lines. */
  #warnOfSize(lines: number): void {
    if (lines <= this.#warnAbove) return;
    this.#warnAbove = 2 * lines;
    this.#options.warn(
      `The page has ${lines} lines, expected at most ${maxLines}; limit the processes that the attribution processor ` +
        'shows, switch metrics of receivers off or drop them with the filter processor',
    );
  }

  #entryOf(series: Series): Entry {
    const known = this.#bySeries.get(series);
    if (known) return known;
    this.#host.consider(series.resource);
    const family = this.#families.find(series.metric);
    const entry = family ? this.#claim(series, family) : undefined;
    if (entry === undefined) return createHiddenEntry(series);
    this.#show(entry, series);
    this.#bySeries.add(series, entry);
    return entry;
  }

  #show(entry: Entry, series: Series): void {
    if (entry.series.start !== series.start) entry.block.touch();
    entry.series = series;
    entry.endedMs = undefined;
  }

  /** Finds labels that no other live series has. */
  #claim(series: Series, family: Family): Entry | undefined {
    const { text, isTaken } = findLabels(series, this.#identity.of(series.resource), {
      render: renderLabels,
      findHolder: (labels) => {
        const holder = family.find(labels);
        if (holder?.endedMs === undefined || seriesKey(holder.series) === seriesKey(series))
          return holder?.series;
        this.#remove(holder);
        return undefined;
      },
    });
    if (!isTaken) return family.find(text) ?? this.#add(series, family, text);
    this.#refuse(series, family, text);
    return undefined;
  }

  #refuse({ metric }: Series, family: Family, labels: string): void {
    if (this.#warned.has(metric.name)) return;
    this.#warned.add(metric.name);
    this.#options.warn(
      `Cannot expose a series of "${metric.name}": expected labels of its own, found another one with ${family.sample}${labels}`,
    );
  }

  #add(series: Series, family: Family, labels: string): Entry {
    this.#lines += 1;
    return family.add(series, this.#texts.take(labels));
  }

  #remove(entry: Entry): void {
    if (!entry.family.remove(entry)) return;
    this.#lines -= 1;
    this.#texts.release(entry.labels);
    this.#bySeries.delete(entry.series);
  }

  #end(series: Series, { nowMs, atNs }: TableTime): void {
    const entry = this.#bySeries.get(series);
    this.#bySeries.delete(series);
    // A series that started again uses the entry of the ended one.
    if (entry?.series !== series) return;
    entry.endedMs = nowMs;
    this.#ended.push({ entry, atMs: nowMs, atNs });
  }

  /** Removes expired series. No table may be taken in between. */
  *sweepInSteps(nowMs: number): Generator<void, void> {
    const stays = this.#findStayMs(nowMs);
    const kept = this.#ended.findIndex(({ atMs }) => nowMs - atMs < stays);
    const gone = this.#ended.splice(0, kept < 0 ? this.#ended.length : kept);
    for (const [i, { entry, atMs }] of gone.entries()) {
      if (i > 0 && i % seriesPerStep === 0) yield;
      // It may be live again, or have ended again since.
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

/** Receives the values of a series that is not on the page. */
function createHiddenEntry(series: Series): Entry {
  const family = new Family(series.metric, { sample: '', family: '', unit: '' });
  return family.add(series, '');
}
