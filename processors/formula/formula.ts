import type { ConsumingComponent, Context } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import type { Log } from '../../src/component/log.js';
import type { AnySeries } from '../../src/model/series.js';
import { createEnding, type Table } from '../../src/model/table.js';
import { AlignedWindows, type WindowUser } from '../../src/windows/aligned-windows.js';
import { WindowRows } from '../../src/windows/window-rows.js';
import type { WindowedSource } from '../../src/windows/windowed-source.js';
import type { Config } from './config.js';
import { compileExpression } from './expression.js';
import { FormulaGroups, type Membership } from './groups.js';

/** The inputs that a series belongs to. */
type Memberships = readonly { readonly groups: FormulaGroups; readonly membership: Membership }[];

/** Forwards every table, and adds the results of formulas, one row per window. */
export class Formula implements ConsumingComponent, WindowUser<Memberships> {
  readonly #next: Consumer;
  readonly #windowNs: number;
  readonly #formulas: readonly FormulaGroups[];
  readonly #rows: readonly ResultRows[];
  readonly #windows: AlignedWindows<Memberships>;
  readonly #log: Log;
  readonly #warnings = new Set<string>();

  constructor({ window, max_lag: maxLag, formulas }: Config, { host, log }: Context, next: Consumer) {
    this.#next = next;
    this.#log = log;
    this.#windowNs = Math.round(window * 1e6);
    this.#windows = new AlignedWindows({ windowNs: this.#windowNs, lagNs: maxLag * 1e6 }, this);
    this.#formulas = formulas.map((formula) => {
      const names = formula.inputs.map(({ name }) => name ?? '');
      return new FormulaGroups(formula, compileExpression(formula.expression ?? '', names), host);
    });
    this.#rows = this.#formulas.map((groups) => new ResultRows(groups, next));
  }

  start(): void {}

  consume(table: Table): boolean {
    const isAccepted = this.#next.consume(table);
    this.#windows.consume(table);
    // Refused gauges are lost; counters are cumulative.
    for (const rows of this.#rows) rows.forward();
    return isAccepted;
  }

  shutdown(): void {}

  join(series: AnySeries, source: WindowedSource): Memberships | undefined {
    const memberships = this.#formulas.flatMap((groups) =>
      groups
        .findInputs(series)
        .filter((input) => !this.#warnOf(groups.findMismatch(input, series, source)))
        .map((input) => ({ groups, membership: groups.join(source, series, input) })),
    );
    return memberships.length === 0 ? undefined : memberships;
  }

  /** Logs a warning once. @returns whether there is one */
  #warnOf(warning: string | undefined): boolean {
    if (warning === undefined) return false;
    if (!this.#warnings.has(warning)) this.#log.warn(warning);
    this.#warnings.add(warning);
    return true;
  }

  leave(memberships: Memberships): void {
    for (const { groups, membership } of memberships) groups.leave(membership);
  }

  endWindow(window: number, at: bigint): void {
    for (const rows of this.#rows) rows.add(window, at, BigInt(this.#windowNs));
  }
}

/** The results of one formula that will form tables. */
class ResultRows {
  readonly #groups: FormulaGroups;
  readonly #next: Consumer;
  readonly #rows = new WindowRows();

  constructor(groups: FormulaGroups, next: Consumer) {
    this.#groups = groups;
    this.#next = next;
  }

  /** Adds the results of a window. */
  add(window: number, at: bigint, windowNs: bigint): void {
    if (this.#groups.isChanged) this.#begin(at - windowNs);
    if (this.#rows.hasNoColumns) return;
    const values = this.#rows.add(at);
    for (const group of this.#groups.groups) values.push(this.#groups.compute(group, window));
  }

  forward(): void {
    const table = this.#rows.take();
    if (table) this.#next.consume(table);
  }

  /** Groups have started or ended. */
  #begin(startAt: bigint): void {
    this.forward();
    const ended = this.#groups.takeEnded().filter(({ start }) => start >= 0n);
    if (ended.length > 0) this.#next.consume(createEnding(ended, startAt));
    for (const group of this.#groups.groups) {
      if (group.series && group.series.start < 0n) group.series = { ...group.series, start: startAt };
    }
    this.#rows.begin([...this.#groups.groups].flatMap(({ series }) => series ?? []));
    this.#groups.isChanged = false;
  }
}
