import type { HistogramTable } from '../model/histogram-table.js';
import { createPlans } from '../model/plan.js';
import type { AnySeries } from '../model/series.js';
import type { Table } from '../model/table.js';
import { WindowedSource } from './windowed-source.js';

const [ofRow, ofTable, newest] = [0, 1, 2] as const;

/** The user of the windows. */
export interface WindowUser<Membership> {
  /**
   * Called for a series before its first reading counts.
   * @param source its values per window; of a histogram, the number of values
   * @param sums of a histogram, the sum of the values
   * @returns the user's state for the series; undefined: it is not needed
   */
  join(series: AnySeries, source: WindowedSource, sums?: WindowedSource): Membership | undefined;
  /** A series has ended, and no further window contains any of it. */
  leave(membership: Membership): void;
  /**
   * A window has ended.
   * @param at its end, Unix time in nanoseconds
   */
  endWindow(window: number, at: bigint): void;
}

interface Watched<Membership> {
  readonly source: WindowedSource;
  /** Of a histogram. */
  readonly sums: WindowedSource | undefined;
  readonly membership: Membership;
}

/** What both kinds of tables have in common. */
type Columns = Pick<Table | HistogramTable, 'series' | 'epoch' | 'offsets' | 'ended'>;

interface Column<Membership> {
  readonly index: number;
  readonly watched: Watched<Membership>;
}

/**
 * Windows that end at multiples of their length on the wall clock. A window ends once every series in use has
 * been read at its end or later, or after a maximum time. Of histograms, count and sum are read.
 */
export class AlignedWindows<Membership> {
  readonly #user: WindowUser<Membership>;
  readonly #windowNs: number;
  readonly #lagNs: number;
  readonly #watched = new Map<AnySeries, Watched<Membership>>();
  #columnsOf = createPlans((series: readonly AnySeries[]) => this.#createColumns(series));
  /** Ended series, until the window of their end is complete. */
  readonly #ending = new Set<Watched<Membership>>();
  /** Unix time in nanoseconds of time 0, a multiple of the window. */
  #epoch: bigint | undefined;
  /** The instant of the current row, that of the table, and the newest one, in an array to avoid allocation. */
  readonly #instants = Float64Array.of(0, 0, -Infinity);
  /** The window that ends next. */
  #window = 1;
  /** Number of live sources without a reading at its end yet. */
  #behind = 0;

  /** @param lagNs how long a window waits for series without a reading at its end */
  constructor(
    { windowNs, lagNs }: { readonly windowNs: number; readonly lagNs: number },
    user: WindowUser<Membership>,
  ) {
    this.#windowNs = windowNs;
    this.#lagNs = lagNs;
    this.#user = user;
  }

  /** Takes the readings of a table, and ends the windows that are complete. */
  consume(table: Table): void {
    const { series, offsets, values } = table;
    const columns = this.#begin(table);
    for (let row = 0; columns.length > 0 && row < offsets.length; row++) {
      this.#goTo(table, row);
      for (let i = 0; i < columns.length; i++) {
        this.#read(columns[i].watched.source, values, row * series.length + columns[i].index);
      }
    }
    this.#finish(table);
  }

  /** The same for histograms, each of which has an instant of its own. */
  consumeHistograms(table: HistogramTable): void {
    const columns = this.#begin(table);
    for (let i = 0; i < columns.length; i++) {
      this.#goTo(table, columns[i].index);
      const { index, watched } = columns[i];
      watched.sums?.read(this.#instants, table.sums, index);
      this.#read(watched.source, table.counts, index);
    }
    this.#finish(table);
  }

  /** @returns the columns (or, for histograms, the rows) in use */
  #begin({ series, ended = [], epoch, offsets }: Columns): readonly Column<Membership>[] {
    this.#epoch ??= epoch - (epoch % BigInt(this.#windowNs));
    this.#instants[ofTable] = Number(epoch - this.#epoch);
    const present = new Set<AnySeries>(ended.length > 0 ? series : []);
    for (const one of ended) if (!present.has(one)) this.#end(one);
    const at = this.#instants[ofTable] + (offsets[0] ?? NaN);
    if (this.#isSetBack(at)) this.#restart(at);
    return this.#columnsOf(series);
  }

  /**
   * Whether the clock was set back: the instant, and the last readings of all live series, are in windows that
   * have already ended.
   */
  #isSetBack(at: number): boolean {
    const openAt = (this.#window - 1) * this.#windowNs;
    if (!(at < openAt)) return false;
    for (const { source } of this.#watched.values()) if (source.lastAt >= openAt) return false;
    return true;
  }

  /** Restarts with the window of an instant. */
  #restart(at: number): void {
    for (const { membership } of [...this.#watched.values(), ...this.#ending]) this.#user.leave(membership);
    this.#watched.clear();
    this.#ending.clear();
    this.#columnsOf = createPlans((series) => this.#createColumns(series));
    this.#window = Math.floor(at / this.#windowNs) + 1;
    this.#behind = 0;
    this.#instants[newest] = -Infinity;
  }

  /** A series that ends in a table has its last readings in it. */
  #finish({ ended = [] }: Columns): void {
    for (const one of ended) this.#end(one);
    this.#endWindows();
  }

  #goTo({ offsets }: Columns, row: number): void {
    const instants = this.#instants;
    instants[ofRow] = instants[ofTable] + offsets[row];
    if (instants[ofRow] > instants[newest]) instants[newest] = instants[ofRow];
  }

  #read(source: WindowedSource, values: Float64Array, cell: number): void {
    const wasBehind = source.known < this.#window;
    source.read(this.#instants, values, cell);
    if (wasBehind && source.known >= this.#window) this.#behind -= 1;
  }

  #createColumns(series: readonly AnySeries[]): readonly Column<Membership>[] {
    return series.flatMap((one, index) => {
      const watched = this.#watched.get(one) ?? this.#watch(one);
      return watched ? [{ index, watched }] : [];
    });
  }

  #watch(series: AnySeries): Watched<Membership> | undefined {
    const startAt = Number(series.start - (this.#epoch ?? series.start));
    const options = { startAt, windowNs: this.#windowNs, from: this.#window - 1 };
    const source = new WindowedSource(series, options);
    const { kind } = series.metric;
    const isHistogram = kind === 'histogram' || kind === 'exponential_histogram';
    const sums = isHistogram ? new WindowedSource(series, options) : undefined;
    const membership = this.#user.join(series, source, sums);
    if (membership === undefined) return undefined;
    const watched = { source, sums, membership };
    this.#watched.set(series, watched);
    this.#behind += 1;
    return watched;
  }

  #end(series: AnySeries): void {
    const watched = this.#watched.get(series);
    if (watched === undefined) return;
    this.#watched.delete(series);
    if (watched.source.known < this.#window) this.#behind -= 1;
    watched.source.end();
    watched.sums?.end();
    this.#ending.add(watched);
  }

  #endWindows(): void {
    this.#skipEmpty();
    while (this.#isOver()) {
      const endNs = BigInt(this.#window) * BigInt(this.#windowNs);
      this.#user.endWindow(this.#window, (this.#epoch ?? 0n) + endNs);
      for (const { source, sums } of this.#watched.values()) {
        source.forget(this.#window);
        sums?.forget(this.#window);
      }
      this.#enter(this.#window + 1);
      for (const watched of this.#ending) if (watched.source.isOver(this.#window)) this.#remove(watched);
      this.#skipEmpty();
    }
  }

  /** Skips to the first window with any data, as after the clock was set forward. */
  #skipEmpty(): void {
    if (this.#ending.size > 0 || this.#watched.size === 0) return;
    let first = Infinity;
    for (const { source } of this.#watched.values()) first = Math.min(first, source.firstWindow);
    if (first > this.#window) this.#enter(first);
  }

  #enter(window: number): void {
    this.#window = window;
    this.#behind = 0;
    for (const { source } of this.#watched.values()) if (source.known < window) this.#behind += 1;
  }

  /** Whether the window has ended for every series that it waits for. */
  #isOver(): boolean {
    const end = this.#window * this.#windowNs;
    return (
      this.#instants[newest] >= end && (this.#behind === 0 || this.#instants[newest] >= end + this.#lagNs)
    );
  }

  #remove(watched: Watched<Membership>): void {
    this.#ending.delete(watched);
    this.#user.leave(watched.membership);
  }
}
