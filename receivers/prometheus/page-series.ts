import type { HistogramTable } from '../../src/model/histogram-table.js';
import type { HistogramMetric, Series } from '../../src/model/series.js';
import { createEnding, createRow, type Table } from '../../src/model/table.js';
import { Column, findStart, type ColumnDescription, type Page } from './column.js';
import { Families } from './families.js';
import { PageHistograms } from './page-histograms.js';
import type { LineReader, PageFormat } from './page-parser.js';
import { columnsPerStep, ResetWatch } from './reset-watch.js';
import { TargetResources } from './resource.js';
import {
  changeLabels,
  createStartKey,
  describeLabels,
  describePart,
  SampleKeys,
  type LabelRules,
} from './sample-labels.js';
import { nameLabel, parseSeriesText, type Labels } from './series-text.js';
import { groupByStamp, isNewStamp, readStampMs } from './stamped-rows.js';
import { processStart, Starts } from './starts.js';

/** How the samples of a target are converted to series. */
export interface SeriesRules extends LabelRules {
  /** `http` or `https`. */
  readonly scheme: string;
  /** Whether `process_start_time_seconds` is the start of counters without a start. */
  readonly usesProcessStart: boolean;
  /** Whether the samples of histograms stay separate counters. */
  readonly splitsHistograms: boolean;
}

export type AnyTable = Table | HistogramTable;

/** Takes about 3 µs per series. */
const seriesPerStep = 256;

/** A page with series for all its samples. */
export interface PreparedPage {
  readonly page: Page;
  /** By column. */
  readonly values: Float64Array;
  /** Number of new series. */
  readonly added: number;
}

/** The series of one target. Each is described once, when it first appears on a page. */
export class PageSeries implements LineReader {
  readonly #rules: SeriesRules;
  #families = new Families();
  /** By slot; undefined: the slot is free, or its values are not published. */
  readonly #bySlot: (Column | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  readonly #keys = new SampleKeys();
  readonly #starts: Starts;
  readonly #resources: TargetResources;
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
    this.#starts = new Starts(rules.usesProcessStart);
    this.#resources = new TargetResources(rules.scheme);
  }

  /** Number of published samples of a page. */
  get published(): number {
    return this.#columns.length + this.#histograms.samples;
  }

  /** Number of samples on the last complete page, without dropped ones. */
  get described(): number {
    return this.#keys.size;
  }

  /** Series left out because another one has the same name and labels, for example after relabelling. */
  get ambiguous(): number {
    return this.#ambiguous;
  }

  /** Why a histogram of the last page was left out; undefined: none was. */
  get problem(): string | undefined {
    return this.#histograms.problem;
  }

  /** Whether everything must be read again, because the type of a metric has changed. */
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
    for (const slot of slots) {
      this.#starts.remove(slot);
      const column = this.#bySlot[slot];
      this.#bySlot[slot] = undefined;
      this.#freeSlots.push(slot);
      if (this.#resources.removeInfo(slot)) this.#endAll();
      this.#keys.removePart(slot);
      this.#histograms.remove(slot);
      if (column === undefined) continue;
      this.#keys.remove(column.description.key);
      if (column.series) this.#ended.push(column.series);
    }
    this.#isChanged = true;
  }

  /** Forgets types and descriptions, before all lines are read again. */
  forgetFamilies(): void {
    this.#families = new Families();
    this.#ambiguous = 0;
  }

  /** Takes the values of a complete page, in steps, and creates new series. */
  *prepare(page: Page): Generator<void, PreparedPage> {
    if (this.#isChanged) yield* this.#arrange();
    const values = this.#follow(page);
    const added = this.#isChanged ? yield* this.#listSeries(page) : 0;
    this.#isChanged = false;
    yield* this.#prepareHistograms(page);
    this.#lastAt = page.at;
    return { page, values, added };
  }

  #prepareHistograms(page: Page): Generator<void> {
    return this.#histograms.prepare(page, {
      findResource: (description) => this.#resources.find(description),
      readStart: (key) => page.values[this.#starts.slotOf(key)] ?? NaN,
      lastAt: this.#lastAt,
    });
  }

  /** The histograms of a page. */
  createHistograms({ page }: PreparedPage): readonly HistogramTable[] {
    return this.#histograms.takeTables(page.at);
  }

  /** The tables of a page, without histograms. */
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
      this.#resources.addInfo(slot, scraped);
      this.#endAll();
      return;
    }
    const meaning = this.#families.find(name);
    // Classic text has no starts.
    const startKey = format === 'classic' ? '' : createStartKey(meaning.family, scraped);
    if (meaning.metric === undefined) this.#starts.add(startKey, slot);
    else this.#addSample(scraped, { slot, metric: meaning.metric, startKey }, meaning.histogram);
    if (name === processStart && scraped.size === 1) this.#starts.add(processStart, slot);
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

  /** @returns false if it is not a part of a histogram, for example after relabelling */
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
    if (isNew) this.#keys.addPart(sampleKey, slot);
    else this.#ambiguous++;
    return true;
  }

  #addColumn(labels: Labels, known: Pick<ColumnDescription, 'slot' | 'metric' | 'startKey'>): void {
    const { name, job, instance, attributes, key } = describeLabels(labels);
    if (!this.#keys.add(key)) {
      this.#ambiguous++;
      return;
    }
    const metric = name === known.metric.name ? known.metric : { ...known.metric, name };
    this.#watch.forget(known.slot);
    this.#bySlot[known.slot] = new Column({ ...known, metric, attributes, job, instance, key });
  }

  /** Ends series whose resource has changed. */
  #endAll(): void {
    this.#histograms.endAll();
    for (const column of this.#columns) {
      if (column.series) this.#ended.push(column.series);
      column.series = undefined;
    }
    this.#isChanged = true;
  }

  *#arrange(): Generator<void, void> {
    const columns: Column[] = [];
    for (const [slot, column] of this.#bySlot.entries()) {
      if (column !== undefined) columns.push(column);
      if (slot % columnsPerStep === columnsPerStep - 1) yield;
    }
    yield* this.#watch.arrange(columns, ({ description }) => this.#starts.slotOf(description.startKey));
    this.#columns = columns;
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

  /** @returns the number of new series */
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
    // After a reset, the series started after the last page.
    const afterReset = column.hasBegun ? this.#lastAt : undefined;
    const start = findStart(this.#watch.readStart(slot), afterReset, first);
    return column.begin(this.#resources.find(column.description), start);
  }

  #attachEnded(tables: readonly Table[], at: bigint): readonly Table[] {
    if (this.#ended.length === 0) return tables;
    const ended = this.#ended;
    this.#ended = [];
    return [createEnding(ended, at), ...tables];
  }
}
