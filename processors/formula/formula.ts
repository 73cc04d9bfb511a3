import type { ConsumingComponent, Context } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { createPlans } from '../../src/model/plan.js';
import type { Series } from '../../src/model/series.js';
import { createEnding, type Table } from '../../src/model/table.js';
import type { Config } from './config.js';
import { compileExpression } from './expression.js';
import { FormulaGroups, type Membership } from './groups.js';
import { WindowedSource } from './source.js';

/** A series that some formula reads. */
interface Watched {
  readonly source: WindowedSource;
  readonly memberships: readonly { readonly groups: FormulaGroups; readonly membership: Membership }[];
}

interface Column {
  readonly index: number;
  readonly watched: Watched;
}

/** Forwards every table, and adds the results of formulas, a row for each window. */
export class Formula implements ConsumingComponent {
  readonly #next: Consumer;
  readonly #windowNs: number;
  readonly #lagNs: number;
  readonly #formulas: readonly FormulaGroups[];
  readonly #rows: readonly ResultRows[];
  readonly #watched = new Map<Series, Watched>();
  readonly #columnsOf = createPlans((series: readonly Series[]) => this.#createColumns(series));
  /** Those that have ended, until the window of their end is over. */
  readonly #ending = new Set<Watched>();
  /** Unix time in nanoseconds of time 0, a multiple of the window. */
  #epoch: bigint | undefined;
  /** The instant of a row that is read. */
  readonly #instant = new Float64Array(1);
  #newest = -Infinity;
  /** The window that ends next. */
  #window = 1;
  /** Live sources that are not known at its end yet. */
  #behind = 0;

  constructor({ window, max_lag: maxLag, formulas }: Config, { host }: Context, next: Consumer) {
    this.#next = next;
    this.#windowNs = Math.round(window * 1e6);
    this.#lagNs = maxLag * 1e6;
    this.#formulas = formulas.map((formula) => {
      const names = formula.inputs.map(({ name }) => name ?? '');
      return new FormulaGroups(formula, compileExpression(formula.expression ?? '', names), host);
    });
    this.#rows = this.#formulas.map((groups) => new ResultRows(groups, next));
  }

  start(): void {}

  consume(table: Table): boolean {
    const isAccepted = this.#next.consume(table);
    this.#epoch ??= table.epoch - (table.epoch % BigInt(this.#windowNs));
    const { ended = [] } = table;
    const columns = new Set(ended.length > 0 ? table.series : []);
    for (const series of ended) if (!columns.has(series)) this.#end(series);
    this.#read(table, this.#epoch);
    for (const series of ended) if (columns.has(series)) this.#end(series);
    this.#endWindows(this.#epoch);
    // What is refused of a gauge is lost for its window; a counter counts on.
    for (const rows of this.#rows) rows.forward();
    return isAccepted;
  }

  shutdown(): void {}

  #read(table: Table, epoch: bigint): void {
    const columns = this.#columnsOf(table.series);
    if (columns.length === 0) return;
    const shift = Number(table.epoch - epoch);
    const { offsets, values, series } = table;
    for (let row = 0; row < offsets.length; row++) {
      this.#instant[0] = shift + offsets[row];
      for (let i = 0; i < columns.length; i++) {
        const { index, watched } = columns[i];
        const { source } = watched;
        const wasBehind = source.known < this.#window;
        source.read(this.#instant, values, row * series.length + index);
        if (wasBehind && source.known >= this.#window) this.#behind -= 1;
      }
      this.#newest = Math.max(this.#newest, this.#instant[0]);
    }
  }

  #createColumns(series: readonly Series[]): readonly Column[] {
    return series.flatMap((one, index) => {
      const watched = this.#watched.get(one) ?? this.#watch(one);
      return watched ? [{ index, watched }] : [];
    });
  }

  #watch(series: Series): Watched | undefined {
    const inputs = this.#formulas.flatMap((groups) =>
      groups.findInputs(series).map((input) => ({ groups, input })),
    );
    if (inputs.length === 0) return undefined;
    const startAt = Number(series.start - (this.#epoch ?? series.start));
    const source = new WindowedSource(series, { startAt, windowNs: this.#windowNs, from: this.#window - 1 });
    const memberships = inputs.map(({ groups, input }) => ({
      groups,
      membership: groups.join(source, series, input),
    }));
    const watched = { source, memberships };
    this.#watched.set(series, watched);
    this.#behind += 1;
    return watched;
  }

  #end(series: Series): void {
    const watched = this.#watched.get(series);
    if (watched === undefined) return;
    this.#watched.delete(series);
    if (watched.source.known < this.#window) this.#behind -= 1;
    watched.source.end();
    this.#ending.add(watched);
  }

  #endWindows(epoch: bigint): void {
    while (this.#isOver()) {
      const at = epoch + BigInt(this.#window) * BigInt(this.#windowNs);
      for (const rows of this.#rows) rows.add(this.#window, at, BigInt(this.#windowNs));
      for (const { source } of this.#watched.values()) source.forget(this.#window);
      this.#window += 1;
      this.#behind = 0;
      for (const { source } of this.#watched.values()) if (source.known < this.#window) this.#behind += 1;
      for (const watched of this.#ending) if (watched.source.isOver(this.#window)) this.#remove(watched);
    }
  }

  /** Whether the window has ended for everything that it waits for. */
  #isOver(): boolean {
    const end = this.#window * this.#windowNs;
    return this.#newest >= end && (this.#behind === 0 || this.#newest >= end + this.#lagNs);
  }

  #remove(watched: Watched): void {
    this.#ending.delete(watched);
    for (const { groups, membership } of watched.memberships) groups.leave(membership);
  }
}

/** The results of one formula on their way into tables. */
class ResultRows {
  readonly #groups: FormulaGroups;
  readonly #next: Consumer;
  #series: readonly Series[] = [];
  #times: bigint[] = [];
  #values: number[] = [];

  constructor(groups: FormulaGroups, next: Consumer) {
    this.#groups = groups;
    this.#next = next;
  }

  /** Adds the results of a window. */
  add(window: number, at: bigint, windowNs: bigint): void {
    if (this.#groups.isChanged) this.#begin(at - windowNs);
    if (this.#series.length === 0) return;
    this.#times.push(at);
    for (const group of this.#groups.groups) this.#values.push(this.#groups.compute(group, window));
  }

  forward(): void {
    const [epoch] = this.#times;
    if (epoch !== undefined) {
      const offsets = Float64Array.from(this.#times, (at) => Number(at - epoch));
      this.#next.consume({ series: this.#series, epoch, offsets, values: Float64Array.from(this.#values) });
      this.#times = [];
      this.#values = [];
    }
  }

  /** Other groups begin, or some have ended. */
  #begin(startAt: bigint): void {
    this.forward();
    const ended = this.#groups.takeEnded().filter(({ start }) => start >= 0n);
    if (ended.length > 0) this.#next.consume(createEnding(ended, startAt));
    for (const group of this.#groups.groups) {
      if (group.series && group.series.start < 0n) group.series = { ...group.series, start: startAt };
    }
    this.#series = Array.from(this.#groups.groups, ({ series }) => series).filter((one) => one !== undefined);
    this.#groups.isChanged = false;
  }
}
