import {
  ExplicitDistribution,
  ExponentialDistribution,
  type Distribution,
} from '../../src/model/distribution.js';
import {
  HistogramRow,
  HistogramRows,
  type ExplicitLayout,
  type HistogramTable,
} from '../../src/model/histogram-table.js';
import {
  inheritPublisher,
  type HistogramKind,
  type HistogramMetric,
  type HistogramSeries,
  type Series,
} from '../../src/model/series.js';
import { createHistogramMetric } from './functions.js';
import type { OpenWindow } from './window.js';

/** How histograms of a metric are computed. */
export interface HistogramRule {
  readonly kind: HistogramKind;
  create(): Distribution;
}

/** The default bounds in the specification of OpenTelemetry's SDKs. */
const usualBounds = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000];

/** @param bounds of explicit buckets; null: the defaults */
export function createHistogramRule(kind: HistogramKind, bounds: readonly number[] | null): HistogramRule {
  if (kind === 'exponential_histogram') return { kind, create: () => new ExponentialDistribution() };
  const layout: ExplicitLayout = { kind, bounds: Float64Array.from(bounds ?? usualBounds) };
  return { kind, create: () => new ExplicitDistribution(layout) };
}

/** A forwarded window, and the target of its histograms. */
interface Written {
  /** Its start, and the time of its row: Unix time in nanoseconds. */
  readonly start: bigint;
  readonly at: bigint;
  readonly rows: HistogramOutput;
}

/** The histograms of a series or group: of all readings up to the end of a window, starting with its first window. */
export class Histograms {
  readonly #from: Series;
  readonly #metrics: readonly HistogramMetric[];
  readonly #create: () => readonly Distribution[];
  readonly #totals: HistogramRow[] = [];
  /** Created with the first window, which is their start. */
  #series: readonly HistogramSeries[] = [];

  constructor(from: Series, rules: readonly HistogramRule[]) {
    this.#from = from;
    this.#metrics = rules.map(({ kind }) => createHistogramMetric(from.metric, kind));
    this.#create = () => rules.map((rule) => rule.create());
  }

  /** The forwarded ones. */
  get series(): readonly HistogramSeries[] {
    return this.#series;
  }

  /** Counts a reading of a window, passed in an array to avoid allocation. */
  count(slot: number, window: OpenWindow, values: Float64Array, cell: number): void {
    for (const one of window.distributionsOf(slot, this.#create)) one.add(values, cell);
  }

  /** Adds a window to the totals. Called once per window, in order. */
  write(slot: number, window: OpenWindow, { start, at, rows }: Written): void {
    if (this.#series.length === 0) this.#series = this.#metrics.map((metric) => this.#begin(metric, start));
    const distributions = window.distributionsOf(slot, this.#create);
    for (let i = 0; i < distributions.length; i += 1) {
      const total = (this.#totals[i] ??= new HistogramRow());
      distributions[i]?.addTo(total);
      const series = this.#series[i];
      if (series) rows.add(series, at, total);
    }
  }

  #begin(metric: HistogramMetric, start: bigint): HistogramSeries {
    const { resource, attributes } = this.#from;
    const series = { metric, resource, attributes, start };
    inheritPublisher(series, this.#from);
    return series;
  }
}

/** Histograms that will form a table. */
export class HistogramOutput {
  readonly #rows = new HistogramRows();
  #epoch: bigint | undefined;

  /** @param at Unix time in nanoseconds */
  add(series: HistogramSeries, at: bigint, row: HistogramRow): void {
    this.#epoch ??= at;
    this.#rows.add(series, Number(at - this.#epoch), row);
  }

  /** What was added since the last call; undefined: nothing. */
  take(): HistogramTable | undefined {
    if (this.#epoch === undefined) return undefined;
    const table = this.#rows.take(this.#epoch);
    this.#epoch = undefined;
    return table;
  }
}
