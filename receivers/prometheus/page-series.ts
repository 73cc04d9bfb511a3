import type { HistogramTable } from '../../src/model/histogram-table.js';
import { findOrAdd } from '../../src/model/plan.js';
import type { HistogramMetric, Resource, Series } from '../../src/model/series.js';
import { createEnding, createRow, type Table } from '../../src/model/table.js';
import { Column, findStart, type ColumnDescription, type Page } from './column.js';
import { Families } from './families.js';
import { PageHistograms } from './page-histograms.js';
import type { LineReader, PageFormat } from './page-parser.js';
import { ResetWatch } from './reset-watch.js';
import { createResource } from './resource.js';
import {
  changeLabels,
  createStartKey,
  describeLabels,
  describePart,
  type LabelRules,
} from './sample-labels.js';
import { nameLabel, parseSeriesText, type Labels } from './series-text.js';
import { groupByStamp, isNewStamp, readStampMs } from './stamped-rows.js';

/** How the samples of a target become series. */
export interface SeriesRules extends LabelRules {
  /** `http` or `https`. */
  readonly scheme: string;
  /** Whether `process_start_time_seconds` says when counters were 0 that do not say it themselves. */
  readonly usesProcessStart: boolean;
  /** Whether the samples of histograms stay counters of their own. */
  readonly splitsHistograms: boolean;
}

export type AnyTable = Table | HistogramTable;

/** In OpenMetrics, the start of a process in Unix seconds; most client libraries have it. */
const processStart = 'process_start_time_seconds';

/** Some 3 µs each. */
const seriesPerStep = 256;

/** A page whose series are made. */
export interface PreparedPage {
  readonly page: Page;
  /** By column. */
  readonly values: Float64Array;
  /** How many series are new. */
  readonly added: number;
}

/** The series of one target. Each is described once, when a page has it for the first time. */
export class PageSeries implements LineReader {
  readonly #rules: SeriesRules;
  #families = new Families();
  /** By slot; undefined: the slot is free, or its values are not published. */
  readonly #bySlot: (Column | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  readonly #keys = new Set<string>();
  /** Of samples of histograms, by slot. */
  readonly #partKeys = new Map<number, string>();
  /** The slots of instants at which counters were 0, by what starts then. */
  readonly #starts = new Map<string, number>();
  /** The labels of `target_info`, by slot. */
  readonly #infos = new Map<number, Labels>();
  readonly #resources = new Map<string, Resource>();
  readonly #watch = new ResetWatch();
  readonly #histograms = new PageHistograms();
  #columns: readonly Column[] = [];
  #series: readonly Series[] = [];
  #ended: Series[] = [];
  #lastAt: bigint | undefined;
  #isChanged = false;
  #ambiguous = 0;

  constructor(rules: SeriesRules) {
    this.#rules = rules;
  }

  /** Samples of a page that are published. */
  get published(): number {
    return this.#columns.length + this.#histograms.samples;
  }

  /** Samples of the page that was read to its end, without those that are dropped. */
  get described(): number {
    return this.#keys.size;
  }

  /** Series that were left out because another one has the same name and labels, say after relabelling. */
  get ambiguous(): number {
    return this.#ambiguous;
  }

  /** What was wrong with a histogram of the last page, if one was left out. */
  get problem(): string | undefined {
    return this.#histograms.problem;
  }

  /** Whether everything has to be read again: the type of a metric is not the one that its series were read by. */
  get isOutdated(): boolean {
    return this.#families.isOutdated;
  }

  addComment(comment: string): void {
    this.#families.addComment(comment);
  }

  addSeries(text: string, format: PageFormat): number {
    const labels = parseSeriesText(text);
    const slot = this.#freeSlots.pop() ?? this.#bySlot.push(undefined) - 1;
    try {
      this.#describe(slot, labels, format);
    } catch (error) {
      this.#freeSlots.push(slot);
      throw error;
    }
    return slot;
  }

  removeSeries(slots: readonly number[]): void {
    const gone = new Set(slots);
    for (const [key, slot] of this.#starts) if (gone.has(slot)) this.#starts.delete(key);
    for (const slot of gone) {
      const column = this.#bySlot[slot];
      this.#bySlot[slot] = undefined;
      this.#freeSlots.push(slot);
      if (this.#infos.delete(slot)) this.#forgetResources();
      this.#forgetKey(slot);
      this.#histograms.remove(slot);
      if (column === undefined) continue;
      this.#keys.delete(column.description.key);
      if (column.series) this.#ended.push(column.series);
    }
    this.#isChanged = true;
  }

  /** Forgets types and descriptions, since all lines are read again. */
  forgetFamilies(): void {
    this.#families = new Families();
    this.#ambiguous = 0;
  }

  /** Takes the values of a page that was read to its end, step by step, and makes the series that are new. */
  *prepare(page: Page): Generator<void, PreparedPage> {
    if (this.#isChanged) this.#arrange();
    const values = this.#follow(page);
    const added = this.#isChanged ? yield* this.#listSeries(page) : 0;
    this.#isChanged = false;
    yield* this.#prepareHistograms(page);
    this.#lastAt = page.at;
    return { page, values, added };
  }

  #prepareHistograms(page: Page): Generator<void> {
    const fallback = this.#rules.usesProcessStart ? this.#starts.get(processStart) : undefined;
    return this.#histograms.prepare(page, {
      findResource: (description) => this.#findResource(description),
      readStart: (key) => page.values[this.#starts.get(key) ?? fallback ?? -1] ?? NaN,
      lastAt: this.#lastAt,
    });
  }

  /** The histograms of a page. */
  createHistograms({ page }: PreparedPage): readonly HistogramTable[] {
    return this.#histograms.takeTables(page.at);
  }

  /** The tables of a page, without those of histograms. */
  createTables({ page, values }: PreparedPage): readonly Table[] {
    const row = createRow(this.#series, page.at, values);
    const tables = page.stamps === undefined ? [row] : groupByStamp(row, this.#columns, page);
    return this.#attachEnded(tables, page.at);
  }

  /** A row of NaN, for a page that could not be read. */
  createGap(at: bigint): readonly AnyTable[] {
    const histograms = this.#histograms.createGap(at);
    if (this.#series.length === 0) return histograms;
    return [createRow(this.#series, at, new Float64Array(this.#series.length).fill(NaN)), ...histograms];
  }

  /** Ends every series. */
  restart(at: bigint): readonly AnyTable[] {
    this.#histograms.endAll();
    for (const column of this.#columns) column.series = undefined;
    const ended = [...this.#ended, ...this.#series];
    this.#ended = [];
    this.#series = [];
    this.#lastAt = undefined;
    this.#isChanged = true;
    return [createEnding(ended, at), ...this.#histograms.takeEnding(at)];
  }

  #describe(slot: number, scraped: Labels, format: PageFormat): void {
    const name = scraped.get(nameLabel) ?? '';
    if (name === 'target_info') {
      this.#infos.set(slot, scraped);
      this.#forgetResources();
      return;
    }
    const meaning = this.#families.find(name);
    // Classic text has no starts.
    const startKey = format === 'classic' ? '' : createStartKey(meaning.family, scraped);
    if (meaning.metric === undefined) this.#starts.set(startKey, slot);
    else this.#addSample(scraped, { slot, metric: meaning.metric, startKey }, meaning.histogram);
    if (name === processStart && scraped.size === 1) this.#starts.set(processStart, slot);
    this.#isChanged = true;
  }

  #addSample(
    scraped: Labels,
    known: Pick<ColumnDescription, 'slot' | 'metric' | 'startKey'>,
    histogram: HistogramMetric | undefined,
  ): void {
    const labels = changeLabels(scraped, this.#rules);
    if (labels === undefined) return;
    if (histogram === undefined || this.#rules.splitsHistograms || !this.#addPart(labels, known, histogram))
      this.#addColumn(labels, known);
  }

  /** @returns false where it is no part of a histogram, say after its name was changed */
  #addPart(
    labels: Labels,
    { slot, startKey }: Pick<ColumnDescription, 'slot' | 'startKey'>,
    histogram: HistogramMetric,
  ): boolean {
    const described = describePart(labels);
    if (described === undefined) return false;
    const { part, sampleKey, name, job, instance, attributes, key } = described;
    const metric = name === histogram.name ? histogram : { ...histogram, name };
    const isNew = this.#histograms.add({ metric, attributes, job, instance, startKey, key }, part, slot);
    if (isNew) this.#noteKey(sampleKey, slot);
    else this.#ambiguous++;
    return true;
  }

  #noteKey(key: string, slot: number): void {
    this.#keys.add(key);
    this.#partKeys.set(slot, key);
  }

  #forgetKey(slot: number): void {
    const key = this.#partKeys.get(slot);
    if (key !== undefined) this.#keys.delete(key);
    this.#partKeys.delete(slot);
  }

  #addColumn(labels: Labels, known: Pick<ColumnDescription, 'slot' | 'metric' | 'startKey'>): void {
    const { name, job, instance, attributes, key } = describeLabels(labels);
    if (this.#keys.has(key)) {
      this.#ambiguous++;
      return;
    }
    this.#keys.add(key);
    const metric = name === known.metric.name ? known.metric : { ...known.metric, name };
    this.#watch.forget(known.slot);
    this.#bySlot[known.slot] = new Column({ ...known, metric, attributes, job, instance, key });
  }

  #forgetResources(): void {
    this.#resources.clear();
    this.#histograms.endAll();
    for (const column of this.#columns) {
      if (column.series) this.#ended.push(column.series);
      column.series = undefined;
    }
    this.#isChanged = true;
  }

  #arrange(): void {
    this.#columns = this.#bySlot.filter((column) => column !== undefined);
    const fallback = this.#rules.usesProcessStart ? this.#starts.get(processStart) : undefined;
    this.#watch.arrange(
      this.#columns,
      ({ description }) => this.#starts.get(description.startKey) ?? fallback ?? -1,
    );
  }

  #follow({ values }: Page): Float64Array {
    const row = new Float64Array(this.#columns.length);
    for (const i of this.#watch.follow(values, row)) {
      const column = this.#columns[i];
      if (column.series === undefined) continue;
      this.#ended.push(column.series);
      column.series = undefined;
      this.#isChanged = true;
    }
    return row;
  }

  /** @returns how many series are new */
  *#listSeries(page: Page): Generator<void, number> {
    let added = 0;
    const list: Series[] = [];
    for (const column of this.#columns) {
      if (column.series === undefined && ++added % seriesPerStep === 0) yield;
      list.push(column.series ?? this.#begin(column, page));
    }
    this.#series = list;
    return added;
  }

  #begin(column: Column, page: Page): Series {
    const { slot } = column.description;
    const stampMs = readStampMs(page, slot);
    const isKnown = stampMs >= 0 && isNewStamp(stampMs, NaN, Number(page.at / 1_000_000n));
    const first = isKnown ? BigInt(stampMs) * 1_000_000n : page.at;
    // What was reset started after the last page.
    const afterReset = column.hasBegun ? this.#lastAt : undefined;
    const start = findStart(this.#watch.readStart(slot), afterReset, first);
    return column.begin(this.#findResource(column.description), start);
  }

  #findResource({ job, instance }: Pick<ColumnDescription, 'job' | 'instance'>): Resource {
    return findOrAdd(this.#resources, `${job}\n${instance}`, () =>
      createResource({ job, instance, scheme: this.#rules.scheme }, [...this.#infos.values()]),
    );
  }

  #attachEnded(tables: readonly Table[], at: bigint): readonly Table[] {
    if (this.#ended.length === 0) return tables;
    const ended = this.#ended;
    this.#ended = [];
    return [createEnding(ended, at), ...tables];
  }
}
