import { describeGroup } from '../../src/model/group.js';
import {
  attributesKey,
  deriveSeries,
  publisherOf,
  resourceKey,
  type Metric,
  type Resource,
  type Series,
} from '../../src/model/series.js';
import { createFunctionMetric, type WindowFunction } from './functions.js';
import { Histograms, type HistogramRule } from './histograms.js';
import { before, count, from, greatest, latest, least, sum, to, width, type OpenWindow } from './window.js';

/** How the series of a metric are aggregated. */
export interface Rule {
  readonly functions: readonly WindowFunction[];
  readonly histograms: readonly HistogramRule[];
  /** Attributes that are kept; null: each series is aggregated separately. */
  readonly groupBy: readonly string[] | null;
}

interface Output {
  readonly series: Series;
  readonly function: WindowFunction;
}

/** A series or a group of series, with the series of its results. */
export interface Target {
  readonly key: string;
  /** Index of its numbers in windows. */
  readonly slot: number;
  readonly isCounter: boolean;
  /** Whether all readings of a window are needed. */
  readonly hasQuantiles: boolean;
  /** Whether the rate of a counter between two readings is needed. */
  readonly hasRates: boolean;
  readonly outputs: readonly Output[];
  /** Undefined: it has none. */
  readonly histograms: Histograms | undefined;
  /** The start of a counter. */
  readonly start: bigint;
  /** Number of its live series. */
  members: number;
  /** For a counter: the count up to the last window, in two parts, so that small growth is not lost to rounding. */
  total: number;
  rest: number;
  /** Whether its series have been forwarded. */
  isShown: boolean;
}

/** Where the outputs of a target are written. */
export interface OutputCells {
  readonly window: OpenWindow;
  readonly values: Float64Array;
  /** The index of the next output. */
  cell: number;
}

/** Writes the results of a window for a target. Called once per window, in order. */
export function writeOutputs(target: Target, output: OutputCells): void {
  const { cells } = output.window;
  const at = target.slot * width;
  if (target.isCounter) addToTotal(target, cells[at + before]);
  if (target.isCounter) addToTotal(target, cells[at + sum]);
  for (const { function: one } of target.outputs) {
    writeOutput(target, one, output);
    output.cell += 1;
  }
}

/** Writes to a cell, since a returned number would be allocated on the heap. */
function writeOutput(
  { slot, isCounter, total, rest }: Target,
  { name, quantile }: WindowFunction,
  { window, values, cell }: OutputCells,
): void {
  const { cells } = window;
  const at = slot * width;
  const growthNs = cells[at + to] - cells[at + from];
  switch (name) {
    case 'last':
      values[cell] = isCounter ? total + rest : cells[at + latest];
      return;
    case 'sum':
      values[cell] = isCounter && !(growthNs > 0) ? NaN : cells[at + sum];
      return;
    case 'mean':
      values[cell] = isCounter ? cells[at + sum] / (growthNs / 1e9) : cells[at + sum] / cells[at + count];
      // Without two readings a counter has no rate.
      if (isCounter && !(growthNs > 0)) values[cell] = NaN;
      return;
    case 'min':
      values[cell] = cells[at + least];
      return;
    case 'max':
      values[cell] = cells[at + greatest];
      return;
    case 'quantile':
      window.writeQuantile(slot, quantile, { values, cell });
  }
}

/** Neumaier's summation: the rounding error of the total is kept separately. */
function addToTotal(target: Target, growth: number): void {
  const { total } = target;
  target.total = total + growth;
  target.rest += total >= growth ? total - target.total + growth : growth - target.total + total;
}

/** Series and groups by identity: a counter that was reset continues its total. */
export class Targets {
  readonly #host: Resource;
  readonly #byKey = new Map<string, Target>();
  readonly #freeSlots: number[] = [];
  readonly #metrics = new WeakMap<Metric, readonly Metric[]>();
  #slots = 0;
  #outputs = 0;

  constructor(host: Resource) {
    this.#host = host;
  }

  /** Number of slots, including free ones. */
  get slots(): number {
    return this.#slots;
  }

  /** Total number of outputs of all targets. */
  get outputs(): number {
    return this.#outputs;
  }

  /** In order of creation. */
  get all(): Iterable<Target> {
    return this.#byKey.values();
  }

  /** The target of a series, which becomes one of its members. */
  join(series: Series, rule: Rule): Target {
    const { resource, attributes } = rule.groupBy ? describeGroup(series, rule.groupBy, this.#host) : series;
    const identity = [
      series.metric.name,
      series.metric.kind,
      attributesKey(attributes),
      resourceKey(resource),
    ];
    const key = [...identity, rule.groupBy ? undefined : publisherOf(series)].join('\n');
    const known = this.#byKey.get(key);
    const target =
      known ?? this.#create(key, rule.groupBy ? { ...series, resource, attributes } : series, rule);
    this.#byKey.set(key, target);
    target.members += 1;
    return target;
  }

  /** Removes a target that has ended and is in no open window. */
  remove({ key, slot, outputs }: Target): void {
    this.#byKey.delete(key);
    this.#outputs -= outputs.length;
    this.#freeSlots.push(slot);
  }

  #create(key: string, series: Series, { functions, histograms }: Rule): Target {
    const { metric, start } = series;
    const metrics = this.#metricsOf(metric, functions);
    this.#outputs += functions.length;
    return {
      key,
      slot: this.#freeSlots.pop() ?? this.#slots++,
      isCounter: metric.kind === 'counter',
      hasQuantiles: functions.some(({ name }) => name === 'quantile'),
      hasRates:
        histograms.length > 0 ||
        functions.some(({ name }) => name === 'quantile' || name === 'min' || name === 'max'),
      outputs: functions.map((one, i) => ({
        series: deriveSeries(series, { metric: metrics[i] }),
        function: one,
      })),
      histograms: histograms.length > 0 ? new Histograms(series, histograms) : undefined,
      start,
      members: 0,
      total: 0,
      rest: 0,
      isShown: false,
    };
  }

  #metricsOf(metric: Metric, functions: readonly WindowFunction[]): readonly Metric[] {
    const known = this.#metrics.get(metric);
    const metrics = known ?? functions.map((one) => createFunctionMetric(metric, one));
    this.#metrics.set(metric, metrics);
    return metrics;
  }
}
