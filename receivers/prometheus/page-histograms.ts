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
import type { Page } from './column.js';

/** What the samples of one histogram have in common. */
export interface HistogramDescription {
  readonly metric: HistogramMetric;
  readonly attributes: Attributes;
  readonly job: string;
  readonly instance: string;
  /** What starts together. */
  readonly startKey: string;
  /** What distinguishes it from all others of the target. */
  readonly key: string;
}

/** A sample of a histogram: the bound of a bucket, the sum or the count. */
export type HistogramPart = number | 'sum' | 'count';

/** What a target knows of the series of a page. */
export interface HistogramSurroundings {
  findResource(description: HistogramDescription): Resource;
  /** When what has this key was 0, in Unix seconds; NaN: unknown. */
  readStart(startKey: string): number;
  /** The instant of the page before. */
  readonly lastAt: bigint | undefined;
}

/** A histogram of a target: one series after the other, each until it is reset. */
class PageHistogram {
  readonly description: HistogramDescription;
  readonly slots = new Map<HistogramPart, number>();
  series: HistogramSeries | undefined;
  #hasBegun = false;
  #last = 0;
  #startSeconds = NaN;
  #stampMs = NaN;
  #bounds: readonly (readonly [bound: number, slot: number])[] | undefined;
  #layout: ExplicitLayout = { kind: 'histogram', bounds: new Float64Array(0) };

  constructor(description: HistogramDescription) {
    this.description = description;
  }

  /** A sample has joined it or left. */
  change(): void {
    this.#bounds = undefined;
  }

  /** The instant of its values on a page; undefined: that of the page before, so that they are the same again. */
  readInstant({ at, stamps, stampUnitMs }: Page): bigint | undefined {
    const [slot = 0] = this.slots.values();
    const stampMs = Math.round((stamps?.[slot] ?? NaN) * stampUnitMs);
    if (Number.isNaN(stampMs)) return at;
    if (stampMs <= this.#stampMs || stampMs < 0) return undefined;
    this.#stampMs = stampMs;
    return BigInt(stampMs) * 1_000_000n;
  }

  /** Takes the values of a page, by slot: a gap where a part of them is missing. */
  read(values: Float64Array, row: HistogramRow): void {
    const bounds = (this.#bounds ??= this.#sortBounds());
    const valueOf = (part: HistogramPart): number => values[this.slots.get(part) ?? -1] ?? NaN;
    const all = valueOf(Infinity);
    row.clear(this.#layout);
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
    if (Number.isNaN(row.count)) row.clear(this.#layout);
  }

  /**
   * The series of a row.
   * @returns another one than before after a reset, or with other bounds
   */
  follow(row: HistogramRow, at: bigint, surroundings: HistogramSurroundings): HistogramSeries {
    const startSeconds = surroundings.readStart(this.description.startKey);
    const isRestarted =
      !Number.isNaN(startSeconds) && !Number.isNaN(this.#startSeconds) && startSeconds !== this.#startSeconds;
    if (row.count < this.#last || isRestarted) this.series = undefined;
    this.#startSeconds = startSeconds;
    if (!Number.isNaN(row.count)) this.#last = row.count;
    return (this.series ??= this.#begin(at, surroundings));
  }

  #begin(at: bigint, { findResource, lastAt }: HistogramSurroundings): HistogramSeries {
    const { metric, attributes } = this.description;
    const known = this.#startSeconds;
    const start = known >= 0 ? BigInt(Math.round(known * 1e6)) * 1000n : this.#hasBegun ? (lastAt ?? at) : at;
    this.#hasBegun = true;
    const resource = findResource(this.description);
    return { metric, attributes, resource, start: start < at ? start : at };
  }

  /** Without that of infinity, whose count is that of all values. */
  #sortBounds(): readonly (readonly [bound: number, slot: number])[] {
    const bounds = [...this.slots]
      .filter((entry): entry is [number, number] => typeof entry[0] === 'number' && entry[0] < Infinity)
      .toSorted(([a], [b]) => a - b);
    const layout: ExplicitLayout = {
      kind: 'histogram',
      bounds: Float64Array.from(bounds, ([bound]) => bound),
    };
    if (isSameLayout(layout, this.#layout)) return bounds;
    // Neither can be computed from the other.
    if (this.#hasBegun) this.series = undefined;
    this.#layout = layout;
    return bounds;
  }
}

/** The histograms of one target, put together from the samples of their buckets, sums and counts. */
export class PageHistograms {
  readonly #byKey = new Map<string, PageHistogram>();
  readonly #bySlot = new Map<number, { readonly histogram: PageHistogram; readonly part: HistogramPart }>();
  readonly #rows = new HistogramRows();
  readonly #row = new HistogramRow();
  #ended: HistogramSeries[] = [];
  #series: readonly HistogramSeries[] = [];
  /** What was wrong with a histogram of the last page, if one was left out. */
  problem: string | undefined;

  /** Samples that belong to histograms. */
  get samples(): number {
    return this.#bySlot.size;
  }

  /** @returns false where the histogram has this part already */
  add(description: HistogramDescription, part: HistogramPart, slot: number): boolean {
    const histogram = findOrAdd(this.#byKey, description.key, () => new PageHistogram(description));
    if (histogram.slots.has(part)) return false;
    histogram.slots.set(part, slot);
    histogram.change();
    this.#bySlot.set(slot, { histogram, part });
    return true;
  }

  /** The sample of a slot was not on the last page. */
  remove(slot: number): void {
    const known = this.#bySlot.get(slot);
    if (known === undefined) return;
    const { histogram, part } = known;
    this.#bySlot.delete(slot);
    histogram.slots.delete(part);
    histogram.change();
    if (histogram.slots.size > 0) return;
    this.#byKey.delete(histogram.description.key);
    if (histogram.series) this.#ended.push(histogram.series);
  }

  /** The histograms of a page, and what has ended before it. */
  createTables(page: Page, surroundings: HistogramSurroundings): readonly HistogramTable[] {
    this.problem = undefined;
    for (const histogram of this.#byKey.values()) this.#addRow(histogram, page, surroundings);
    return this.#takeTables(page.at);
  }

  /** A gap in every series, for a page that could not be read. */
  createGap(at: bigint): readonly HistogramTable[] {
    for (const histogram of this.#byKey.values()) {
      histogram.read(new Float64Array(0), this.#row);
      if (histogram.series) this.#rows.add(histogram.series, 0, this.#row);
    }
    return this.#takeTables(at);
  }

  /** Ends every series: those that follow are others. */
  endAll(): void {
    for (const histogram of this.#byKey.values()) {
      if (histogram.series) this.#ended.push(histogram.series);
      histogram.series = undefined;
    }
  }

  /** What has ended and was not reported yet. */
  takeEnding(at: bigint): readonly HistogramTable[] {
    return this.#ended.length === 0 ? [] : [createHistogramEnding(this.#ended.splice(0), at)];
  }

  #addRow(histogram: PageHistogram, page: Page, surroundings: HistogramSurroundings): void {
    const at = histogram.readInstant(page);
    if (at === undefined) return;
    const before = histogram.series;
    histogram.read(page.values, this.#row);
    const problem = findHistogramProblem(this.#row);
    if (problem === undefined) {
      const series = histogram.follow(this.#row, at, surroundings);
      this.#rows.add(series, Number(at - page.at), this.#row);
    } else this.problem = `${histogram.description.metric.name}: ${problem}`;
    if (before !== undefined && before !== histogram.series) this.#ended.push(before);
  }

  #takeTables(at: bigint): readonly HistogramTable[] {
    const ended = this.takeEnding(at);
    if (this.#rows.length === 0) return ended;
    const table = this.#rows.take(at);
    const isKnown =
      table.series.length === this.#series.length && table.series.every((one, i) => one === this.#series[i]);
    if (!isKnown) this.#series = table.series;
    return [...ended, { ...table, series: this.#series }];
  }
}
