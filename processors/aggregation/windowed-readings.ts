import { createPlans } from '../../src/model/plan.js';
import type { Resource, Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import {
  Counters,
  countsBefore,
  histograms,
  isInt,
  quantiles,
  rates,
  type CounterColumns,
  type Row,
} from './counters.js';
import type { Histograms } from './histograms.js';
import { OpenWindows } from './open-windows.js';
import type { OutputRows } from './output-rows.js';
import { Targets, writeOutputs, type Rule, type Target } from './targets.js';
import { count, greatest, latest, latestAt, least, OpenWindow, sum, width } from './window.js';

export interface ReadingOptions {
  /** By the names of metrics. */
  readonly rules: ReadonlyMap<string, Rule>;
  readonly host: Resource;
  readonly intervalNs: number;
  readonly lagNs: number;
  readonly maxReadings: number;
  readonly rows: OutputRows;
  /** Notified of readings of windows that have been forwarded. */
  onLate(): void;
}

/** Series that come in the same tables. */
interface Feed {
  /** When its last row was. */
  lastAt: number;
  /** How many series of it have not ended, nor come in other tables since. */
  sources: number;
}

/** A series that is aggregated. */
interface Source {
  readonly target: Target;
  /** Where the state of a counter begins; -1: it is none. */
  readonly state: number;
  feed: Feed;
}

/** How the tables with one array of series are read. */
interface Plan {
  readonly feed: Feed;
  readonly sources: readonly Source[];
  readonly gauges: GaugeColumns;
  readonly counters: CounterColumns;
}

interface GaugeColumns {
  readonly columns: Int32Array;
  readonly slots: Int32Array;
  /** 1 where all readings are kept for quantiles. */
  readonly areKept: Uint8Array;
  /** Of each, what counts readings in buckets, if anything does. */
  readonly histograms: readonly (Histograms | undefined)[];
}

/** Windows wait for at most this many later ones, however long the lag may be. */
const maxOpen = 1000;

/** No instant is in it. */
const noWindow = new OpenWindow();

/** The readings of windows that have not been forwarded. Times are nanoseconds after an epoch. */
export class WindowedReadings {
  readonly #options: ReadingOptions;
  readonly #lagNs: number;
  readonly #targets: Targets;
  readonly #windows: OpenWindows;
  readonly #counters: Counters;
  readonly #planOf = createPlans((series: readonly Series[]) => this.#createPlan(series));
  readonly #sources = new Map<Series, Source>();
  readonly #feeds = new Set<Feed>();
  /** Targets whose series have all ended. */
  readonly #ending = new Set<Target>();
  readonly #row: Row = {
    instant: new Float64Array(1),
    values: new Float64Array(0),
    cell: 0,
    window: noWindow,
  };
  /** Unix time in nanoseconds of time 0, a multiple of the interval. */
  #epoch: bigint | undefined;
  /** When the first row was: what counters have counted before is not aggregated. */
  #firstAt = NaN;
  #newest = -Infinity;

  constructor(options: ReadingOptions) {
    const { intervalNs, lagNs, maxReadings, host } = options;
    this.#options = options;
    this.#lagNs = Math.min(lagNs, maxOpen * intervalNs);
    this.#targets = new Targets(host);
    const lagWindows = Math.ceil(this.#lagNs / intervalNs) + 1;
    this.#windows = new OpenWindows({ intervalNs, lagWindows, countSlots: () => this.#targets.slots });
    this.#counters = new Counters(this.#windows, maxReadings);
  }

  /** Whether all that was read lately is of later windows than a table that begins: the clock was set back. */
  areAhead({ epoch, offsets }: Table): boolean {
    if (this.#epoch === undefined || offsets.length === 0) return false;
    const openAt = (this.#windows.first - 1) * this.#windows.intervalNs;
    if (Number(epoch - this.#epoch) + (offsets[0] ?? 0) > openAt) return false;
    return [...this.#feeds].every(({ lastAt }) => lastAt <= openAt);
  }

  /** Takes the rows of a table, and forwards windows that are over. */
  read(table: Table): void {
    if (table.offsets.length === 0) return;
    this.#epoch ??= table.epoch - (table.epoch % BigInt(this.#windows.intervalNs));
    const shift = Number(table.epoch - this.#epoch);
    if (Number.isNaN(this.#firstAt)) this.#firstAt = shift + table.offsets[0];
    const plan = this.#planOf(table.series);
    if (plan.sources.length === 0) return;
    for (const source of plan.sources) if (source.feed !== plan.feed) this.#move(source, plan.feed);
    this.#readRows(table, plan, shift);
    this.#forwardComplete();
  }

  /** A series has no further row. */
  end(series: Series): void {
    const source = this.#sources.get(series);
    if (source === undefined) return;
    const { target, state, feed } = source;
    this.#sources.delete(series);
    this.#leave(feed);
    if (state >= 0) this.#counters.release(state);
    target.members -= 1;
    if (target.members === 0) this.#ending.add(target);
  }

  /** Forwards all windows, the unfinished one with the time of its last row, and what has ended. */
  finish(): void {
    const { rows } = this.#options;
    for (const series of this.#sources.keys()) this.end(series);
    this.#forwardUntil(Infinity);
    this.forwardEnded();
    rows.forward();
  }

  /** Forwards which targets have ended and are in no open window. */
  forwardEnded(): void {
    if (this.#ending.size === 0 || this.#epoch === undefined) return;
    const isOpen = ({ slot }: Target) => this.#windows.list.some((window) => window.has(slot));
    const over = [...this.#ending].filter((target) => target.members > 0 || !isOpen(target));
    for (const target of over) this.#ending.delete(target);
    const ended = over.filter(({ members }) => members === 0);
    if (ended.length === 0) return;
    for (const target of ended) this.#targets.remove(target);
    this.#options.rows.end(ended, this.#epoch + BigInt(this.#newest));
  }

  #readRows({ offsets, values, series }: Table, { feed, gauges, counters }: Plan, shift: number): void {
    const row = this.#row;
    row.values = values;
    row.window = noWindow;
    for (let i = 0; i < offsets.length; i++) {
      const at = shift + offsets[i];
      if (at <= feed.lastAt) continue;
      feed.lastAt = at;
      row.instant[0] = at;
      row.cell = i * series.length;
      if (at > this.#newest) this.#newest = at;
      const isOther = at > row.window.endAt || at <= row.window.startAt;
      if (isOther) row.window = this.#windows.findAt(row.instant);
      if (at > row.window.startAt) this.#readGauges(gauges);
      else if (gauges.columns.length > 0) this.#options.onLate();
      this.#counters.read(counters, row);
      if (isOther) this.#forwardUntil(this.#newest - this.#lagNs);
    }
  }

  #readGauges({ columns, slots, areKept, histograms: counting }: GaugeColumns): void {
    const { values, cell, window, instant } = this.#row;
    const { cells } = window;
    const at = instant[0];
    for (let i = 0; i < columns.length; i++) {
      const value = values[cell + columns[i]];
      if (Number.isNaN(value)) continue;
      const slot = slots[i];
      const first = slot * width;
      cells[first + count] += 1;
      cells[first + sum] += value;
      if (!(cells[first + least] <= value)) cells[first + least] = value;
      if (!(cells[first + greatest] >= value)) cells[first + greatest] = value;
      if (!(cells[first + latestAt] > at)) {
        cells[first + latest] = value;
        cells[first + latestAt] = at;
      }
      if (areKept[i] === 1) {
        window.readingsOf(slot, this.#options.maxReadings).add(values, cell + columns[i]);
      }
      counting[i]?.count(slot, window, values, cell + columns[i]);
    }
  }

  /** Forwards windows that no series has a reading of any more, or that have waited for long enough. */
  #forwardComplete(): void {
    let passedAt = this.#feeds.size === 0 ? this.#newest : Infinity;
    for (const { lastAt } of this.#feeds) passedAt = Math.min(passedAt, lastAt);
    this.#forwardUntil(Math.max(passedAt, this.#newest - this.#lagNs));
    this.#options.rows.forward();
  }

  #forwardUntil(instant: number): void {
    let window = this.#windows.takeBefore(instant);
    while (window !== undefined) {
      this.#forward(window);
      if (window === this.#row.window) this.#row.window = noWindow;
      this.#windows.recycle(window);
      window = this.#windows.takeBefore(instant);
    }
  }

  #forward(window: OpenWindow): void {
    const { rows } = this.#options;
    const shown: Target[] = [];
    const output = rows.prepare(window, this.#targets.outputs);
    const epoch = this.#epoch ?? 0n;
    const at = epoch + BigInt(Math.min(window.endAt, this.#newest));
    const written = { start: epoch + BigInt(window.startAt), at, rows: rows.histograms };
    for (const target of this.#targets.all) {
      if (!window.has(target.slot)) continue;
      writeOutputs(target, output);
      target.histograms?.write(target.slot, window, written);
      if (target.outputs.length === 0) continue;
      target.isShown = true;
      shown.push(target);
    }
    rows.add(at, shown);
  }

  #createPlan(series: readonly Series[]): Plan {
    const columns = [...series.keys()].filter((column) => this.#ruleOf(series[column]) !== undefined);
    const feed = { lastAt: -Infinity, sources: 0 };
    const sources = columns.map(
      (column) => this.#sources.get(series[column]) ?? this.#join(series[column], feed),
    );
    this.#windows.reserve();
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
    const target = this.#targets.join(
      series,
      this.#ruleOf(series) ?? { functions: [], histograms: [], groupBy: null },
    );
    const startAt = Number(series.start - (this.#epoch ?? series.start));
    const state = target.isCounter ? this.#counters.claim(startAt >= this.#firstAt ? startAt : NaN) : -1;
    const source = { target, state, feed };
    feed.sources += 1;
    this.#feeds.add(feed);
    this.#sources.set(series, source);
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
