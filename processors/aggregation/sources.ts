import { createPlans } from '../../src/model/plan.js';
import type { Series } from '../../src/model/series.js';
import {
  countsBefore,
  histograms,
  isInt,
  quantiles,
  rates,
  type CounterColumns,
  type Counters,
} from './counters.js';
import type { Histograms } from './histograms.js';
import type { OpenWindows } from './open-windows.js';
import type { Rule, Target, Targets } from './targets.js';

export interface SourceOptions {
  /** By metric name. */
  readonly rules: ReadonlyMap<string, Rule>;
  readonly targets: Targets;
  readonly windows: OpenWindows;
  readonly counters: Counters;
  /** When a counter was 0; NaN: it starts at its first reading. */
  countsFrom(series: Series): number;
}

/** Series that share tables. */
export interface Feed {
  /** Time of its last row. */
  lastAt: number;
  /** Number of its series that have not ended, nor moved to other tables. */
  sources: number;
}

/** An aggregated series. */
interface Source {
  readonly target: Target;
  /** Index of a counter's state; -1: it is not a counter. */
  readonly state: number;
  feed: Feed;
}

/** How tables with one array of series are read. */
export interface Plan {
  readonly feed: Feed;
  readonly sources: readonly Source[];
  readonly gauges: GaugeColumns;
  readonly counters: CounterColumns;
}

export interface GaugeColumns {
  readonly columns: Int32Array;
  readonly slots: Int32Array;
  /** 1 if all readings are kept for quantiles. */
  readonly areKept: Uint8Array;
  /** The histograms that count the readings of each, if any. */
  readonly histograms: readonly (Histograms | undefined)[];
}

const none: readonly Target[] = [];

/** The aggregated series, by the tables that contain them. Each belongs to one target until it ends. */
export class Sources {
  readonly #options: SourceOptions;
  readonly #bySeries = new Map<Series, Source>();
  readonly #feeds = new Set<Feed>();
  /** Targets whose series have all ended. */
  readonly #ending = new Set<Target>();
  readonly #planOf = createPlans((series: readonly Series[]) => this.#createPlan(series));

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  /** Those that may have further rows. */
  get feeds(): ReadonlySet<Feed> {
    return this.#feeds;
  }

  /** How a table with these series is read; the series move to such tables. */
  planOf(series: readonly Series[]): Plan {
    const plan = this.#planOf(series);
    for (const source of plan.sources) if (source.feed !== plan.feed) this.#move(source, plan.feed);
    return plan;
  }

  /** A series has no further rows. */
  end(series: Series): void {
    const source = this.#bySeries.get(series);
    if (source === undefined) return;
    const { target, state, feed } = source;
    this.#bySeries.delete(series);
    this.#leave(feed);
    if (state >= 0) this.#options.counters.release(state);
    target.members -= 1;
    if (target.members === 0) this.#ending.add(target);
  }

  /** No series has further rows. */
  endAll(): void {
    for (const series of this.#bySeries.keys()) this.end(series);
  }

  /** Removes the targets whose series have all ended, except open ones. @returns the removed ones */
  takeEnded(isOpen: (target: Target) => boolean): readonly Target[] {
    if (this.#ending.size === 0) return none;
    const over = [...this.#ending].filter((target) => target.members > 0 || !isOpen(target));
    for (const target of over) this.#ending.delete(target);
    const ended = over.filter(({ members }) => members === 0);
    for (const target of ended) this.#options.targets.remove(target);
    return ended;
  }

  #createPlan(series: readonly Series[]): Plan {
    const columns = [...series.keys()].filter((column) => this.#ruleOf(series[column]) !== undefined);
    const feed = { lastAt: -Infinity, sources: 0 };
    const sources = columns.map(
      (column) => this.#bySeries.get(series[column]) ?? this.#join(series[column], feed),
    );
    this.#options.windows.reserve();
    const ofKind = (isCounter: boolean) =>
      [...columns.keys()].filter((i) => sources[i].state >= 0 === isCounter);
    const [gauges, counters] = [ofKind(false), ofKind(true)];
    return {
      feed,
      sources,
      gauges: {
        columns: Int32Array.from(gauges, (i) => columns[i]),
        slots: Int32Array.from(gauges, (i) => sources[i].target.slot),
        areKept: Uint8Array.from(gauges, (i) => (sources[i].target.hasQuantiles ? 1 : 0)),
        histograms: gauges.map((i) => sources[i].target.histograms),
      },
      counters: {
        columns: Int32Array.from(counters, (i) => columns[i]),
        states: Int32Array.from(counters, (i) => sources[i].state),
        slots: Int32Array.from(counters, (i) => sources[i].target.slot),
        targets: counters.map((i) => sources[i].target),
        flags: Uint8Array.from(counters, (i) => flagsOf(series[columns[i]], sources[i].target)),
      },
    };
  }

  #ruleOf({ metric }: Series): Rule | undefined {
    return this.#options.rules.get(metric.name);
  }

  #join(series: Series, feed: Feed): Source {
    const target = this.#options.targets.join(
      series,
      this.#ruleOf(series) ?? { functions: [], histograms: [], groupBy: null },
    );
    const state = target.isCounter ? this.#options.counters.claim(this.#options.countsFrom(series)) : -1;
    const source = { target, state, feed };
    feed.sources += 1;
    this.#feeds.add(feed);
    this.#bySeries.set(series, source);
    return source;
  }

  #move(source: Source, feed: Feed): void {
    this.#leave(source.feed);
    source.feed = feed;
    feed.sources += 1;
    this.#feeds.add(feed);
  }

  #leave(feed: Feed): void {
    feed.sources -= 1;
    if (feed.sources === 0) this.#feeds.delete(feed);
  }
}

function flagsOf({ metric, start }: Series, target: Target): number {
  return (
    (target.hasRates ? rates : 0) |
    (target.hasQuantiles ? quantiles : 0) |
    (target.histograms ? histograms : 0) |
    (metric.valueType === 'int' ? isInt : 0) |
    (start >= target.start ? countsBefore : 0)
  );
}
