import { isSameLayout } from '../../src/model/add-histograms.js';
import { findHistogramProblem } from '../../src/model/check-histograms.js';
import {
  createHistogramEnding,
  HistogramRow,
  HistogramRows,
  type ExplicitLayout,
  type HistogramTable,
} from '../../src/model/histogram-table.js';
import { findOrAdd } from '../../src/model/plan.js';
import type { Attributes, HistogramMetric, HistogramSeries, Resource } from '../../src/model/series.js';
import { findStart, type Page } from './column.js';
import { isNewStamp, readStampMs } from './stamped-rows.js';

/** What the samples of one histogram have in common. */
export interface HistogramDescription {
  readonly metric: HistogramMetric;
  readonly attributes: Attributes;
  readonly job: string;
  readonly instance: string;
  /** Equal for samples that start together. */
  readonly startKey: string;
  /** Unique within the target. */
  readonly key: string;
}

/** A sample of a histogram: the bound of a bucket, the sum or the count. */
export type HistogramPart = number | 'sum' | 'count';

/** What the histograms of a page share with its other samples. */
export interface HistogramContext {
  findResource(description: HistogramDescription): Resource;
  /** When samples with this key were 0, in Unix seconds; NaN: unknown. */
  readStart(startKey: string): number;
  /** The time of the previous page. */
  readonly lastAt: bigint | undefined;
}

/** A histogram of a target: consecutive series, each until a reset. */
class PageHistogram {
  readonly description: HistogramDescription;
  readonly slots = new Map<HistogramPart, number>();
  series: HistogramSeries | undefined;
  #hasBegun = false;
  #last = 0;
  #startSeconds = NaN;
  #stampMs = NaN;
  #bounds: readonly (readonly [bound: number, slot: number])[] | undefined;
  /** The layout of its last row. */
  layout: ExplicitLayout = { kind: 'histogram', bounds: new Float64Array(0) };

  constructor(description: HistogramDescription) {
    this.description = description;
  }

  /** A sample was added or removed. */
  change(): void {
    this.#bounds = undefined;
  }

  /** The timestamp of its values on a page; undefined: the same as on the previous page, or implausible. */
  readInstant(page: Page): bigint | undefined {
    const [slot = 0] = this.slots.values();
    const stampMs = readStampMs(page, slot);
    if (Number.isNaN(stampMs)) return page.at;
    if (!isNewStamp(stampMs, this.#stampMs, Number(page.at / 1_000_000n))) return undefined;
    this.#stampMs = stampMs;
    return BigInt(stampMs) * 1_000_000n;
  }

  /** Reads the values of a page, by slot. If some are missing, the row is a gap. */
  read(values: Float64Array, row: HistogramRow): void {
    const bounds = (this.#bounds ??= this.#sortBounds());
    const valueOf = (part: HistogramPart): number => values[this.slots.get(part) ?? -1] ?? NaN;
    const all = valueOf(Infinity);
    row.clear(this.layout);
    row.count = this.slots.has('count') ? valueOf('count') : all;
    const sum = valueOf('sum');
    row.sum = Number.isFinite(sum) ? sum : NaN;
    if (bounds.length === 0) return;
    const buckets = new Float64Array(bounds.length + 1);
    let below = 0;
    for (const [i, [, slot]] of bounds.entries()) {
      const counted = values[slot] ?? NaN;
      buckets[i] = counted - below;
      below = counted;
    }
    buckets[bounds.length] = (this.slots.has(Infinity) ? all : row.count) - below;
    row.buckets = buckets;
    if (Number.isNaN(row.count)) row.clear(this.layout);
  }

  /**
   * The series of a row.
   * @returns a new one after a reset, or if the bounds have changed
   */
  follow(row: HistogramRow, at: bigint, context: HistogramContext): HistogramSeries {
    const startSeconds = context.readStart(this.description.startKey);
    const isRestarted =
      !Number.isNaN(startSeconds) && !Number.isNaN(this.#startSeconds) && startSeconds !== this.#startSeconds;
    if (row.count < this.#last || isRestarted) this.series = undefined;
    this.#startSeconds = startSeconds;
    if (!Number.isNaN(row.count)) this.#last = row.count;
    return (this.series ??= this.#begin(at, context));
  }

  #begin(at: bigint, { findResource, lastAt }: HistogramContext): HistogramSeries {
    const { metric, attributes } = this.description;
    const start = findStart(this.#startSeconds, this.#hasBegun ? lastAt : undefined, at);
    this.#hasBegun = true;
    return { metric, attributes, resource: findResource(this.description), start };
  }

  /** Without the infinite bound, whose count is the total. */
  #sortBounds(): readonly (readonly [bound: number, slot: number])[] {
    const bounds = [...this.slots]
      .filter((entry): entry is [number, number] => typeof entry[0] === 'number' && entry[0] < Infinity)
      .toSorted(([a], [b]) => a - b);
    const layout: ExplicitLayout = {
      kind: 'histogram',
      bounds: Float64Array.from(bounds, ([bound]) => bound),
    };
    if (isSameLayout(layout, this.layout)) return bounds;
    // Counts with other bounds cannot be compared.
    if (this.#hasBegun) this.series = undefined;
    this.layout = layout;
    return bounds;
  }
}

/** Takes a fraction of a millisecond. */
const histogramsPerStep = 64;

/** The histograms of one target, assembled from the samples of their buckets, sums and counts. */
export class PageHistograms {
  readonly #byKey = new Map<string, PageHistogram>();
  readonly #bySlot: ({ readonly histogram: PageHistogram; readonly part: HistogramPart } | undefined)[] = [];
  #samples = 0;
  readonly #rows = new HistogramRows();
  readonly #row = new HistogramRow();
  #ended: HistogramSeries[] = [];
  #series: readonly HistogramSeries[] = [];
  /** Why a histogram of the last page was left out; undefined: none was. */
  problem: string | undefined;

  /** Number of samples that belong to histograms. */
  get samples(): number {
    return this.#samples;
  }

  /** @returns false if the histogram already has this part */
  add(description: HistogramDescription, part: HistogramPart, slot: number): boolean {
    const histogram = findOrAdd(this.#byKey, description.key, () => new PageHistogram(description));
    if (histogram.slots.has(part)) return false;
    histogram.slots.set(part, slot);
    histogram.change();
    this.#bySlot[slot] = { histogram, part };
    this.#samples += 1;
    return true;
  }

  /** The sample of a slot was not on the last page. */
  remove(slot: number): void {
    const known = this.#bySlot[slot];
    if (known === undefined) return;
    const { histogram, part } = known;
    this.#bySlot[slot] = undefined;
    this.#samples -= 1;
    histogram.slots.delete(part);
    histogram.change();
    if (histogram.slots.size > 0) return;
    this.#byKey.delete(histogram.description.key);
    if (histogram.series) this.#ended.push(histogram.series);
  }

  /** Reads the histograms of a page, in steps. */
  *prepare(page: Page, context: HistogramContext): Generator<void> {
    this.problem = undefined;
    // Discards rows of a page that came too late.
    this.#rows.take(page.at);
    let read = 0;
    for (const histogram of this.#byKey.values()) {
      this.#addRow(histogram, page, context);
      read += 1;
      if (read % histogramsPerStep === 0) yield;
    }
  }

  /** The histograms of a page, and those that ended before it. */
  takeTables(at: bigint): readonly HistogramTable[] {
    const ended = this.takeEnding(at);
    if (this.#rows.length === 0) return ended;
    const table = this.#rows.take(at);
    const isKnown =
      table.series.length === this.#series.length && table.series.every((one, i) => one === this.#series[i]);
    if (!isKnown) this.#series = table.series;
    return [...ended, { ...table, series: this.#series }];
  }

  /** A gap in every series, for a page that could not be read. */
  createGap(at: bigint): readonly HistogramTable[] {
    this.#rows.take(at);
    for (const { series, layout } of this.#byKey.values())
      if (series) this.#rows.add(series, 0, this.#row.clear(layout));
    return this.takeTables(at);
  }

  /** Ends every series: later ones are new. */
  endAll(): void {
    for (const histogram of this.#byKey.values()) {
      if (histogram.series) this.#ended.push(histogram.series);
      histogram.series = undefined;
    }
  }

  /** Ended series that were not reported yet. */
  takeEnding(at: bigint): readonly HistogramTable[] {
    return this.#ended.length === 0 ? [] : [createHistogramEnding(this.#ended.splice(0), at)];
  }

  #addRow(histogram: PageHistogram, page: Page, context: HistogramContext): void {
    const at = histogram.readInstant(page);
    if (at === undefined) return;
    const before = histogram.series;
    histogram.read(page.values, this.#row);
    const problem = findHistogramProblem(this.#row);
    if (problem === undefined) {
      const series = histogram.follow(this.#row, at, context);
      this.#rows.add(series, Number(at - page.at), this.#row);
    } else this.problem = `${histogram.description.metric.name}: ${problem}`;
    if (before !== undefined && before !== histogram.series) this.#ended.push(before);
  }
}
