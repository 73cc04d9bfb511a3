import { createPlans } from '../model/plan.js';
import type { Series } from '../model/series.js';
import {
  createEnding,
  createSelection,
  selectColumns,
  timeOf,
  type Selection,
  type Table,
} from '../model/table.js';
import type { ConsumingComponent } from './component.js';
import type { Consumer } from './consumer.js';

/** Chooses rows of series that are read together. */
export interface RowChooser {
  /** @returns the rows chosen so far, of this or earlier tables; undefined: none */
  take(table: Table): Table | undefined;
  /** @returns the rows still held, when no further row follows */
  finish(series: readonly Series[]): Table | undefined;
}

export interface RowChoosing {
  /** Whether rows of a series are chosen; all other series are forwarded unchanged. Called once per array of series. */
  concerns(series: Series): boolean;
  /** @param width number of series that are read together */
  createChooser(width: number): RowChooser;
}

/** Chosen rows that will form a table. Times are nanoseconds after an instant that the chooser knows. */
export class ChosenRows {
  #times: number[] = [];
  #rows: Float64Array[] = [];

  add(at: number, row: Float64Array): void {
    this.#times.push(at);
    this.#rows.push(row);
  }

  /** @param epoch Unix time in nanoseconds of time 0 */
  take(series: readonly Series[], epoch: bigint): Table | undefined {
    const times = this.#times;
    const rows = this.#rows;
    const [first] = times;
    if (first === undefined) return undefined;
    this.#times = [];
    this.#rows = [];
    const values = new Float64Array(rows.length * series.length);
    for (const [index, row] of rows.entries()) values.set(row, index * series.length);
    const firstNs = timeOf({ epoch, offsets: Float64Array.of(first) }, 0);
    return { series, epoch: firstNs, offsets: Float64Array.from(times, (at) => at - first), values };
  }
}

/** Series that are read together, until one of them ends or others join. */
interface Group {
  readonly series: readonly Series[];
  readonly chooser: RowChooser;
}

/** How tables with one array of series are divided. */
interface Plan {
  readonly chosen: Selection;
  readonly others: Selection;
}

/** A processor that forwards some rows of some series, and all rows of the others. */
export class RowChoosingProcessor implements ConsumingComponent {
  readonly #choosing: RowChoosing;
  readonly #next: Consumer;
  /** By series. */
  readonly #groups = new Map<Series, Group>();
  readonly #planOf: (series: readonly Series[]) => Plan;

  constructor(choosing: RowChoosing, next: Consumer) {
    this.#choosing = choosing;
    this.#next = next;
    this.#planOf = createPlans((series) => ({
      chosen: createSelection(series, (one) => choosing.concerns(one)),
      others: createSelection(series, (one) => !choosing.concerns(one)),
    }));
  }

  start(): void {}

  consume(table: Table): boolean {
    const { ended = [], ...rows } = table;
    const gone = ended.filter((series) => !table.series.includes(series));
    const last = ended.filter((series) => table.series.includes(series));
    // A series that a new one replaces ends before that one starts; a series with a last row in this table ends
    // after it.
    const isEnded = this.#end(gone, table.epoch);
    const isAccepted = this.#forward(rows);
    return this.#end(last, table.epoch) && isAccepted && isEnded;
  }

  shutdown(): void {
    this.#finish([...this.#groups.values()]);
  }

  #forward(table: Table): boolean {
    const { chosen, others } = this.#planOf(table.series);
    if (chosen.series.length === 0) return table.series.length === 0 || this.#next.consume(table);
    const rest = others.series.length === 0 ? undefined : selectColumns(table, others);
    const isAccepted = rest === undefined || this.#next.consume(rest);
    if (table.offsets.length === 0) return isAccepted;
    const part = rest === undefined ? table : selectColumns(table, chosen);
    const passed = this.#groupOf(chosen.series).chooser.take(part);
    const isPassed = passed === undefined || this.#next.consume(passed);
    // A receiver sends refused tables again: the next stage must not get rows of the other series twice.
    return rest === undefined ? isPassed : isAccepted;
  }

  #end(ended: readonly Series[], at: bigint): boolean {
    if (ended.length === 0) return true;
    this.#finish(ended.flatMap((series) => this.#groups.get(series) ?? []));
    return this.#next.consume(createEnding(ended, at));
  }

  #groupOf(series: readonly Series[]): Group {
    const [first] = series;
    const known = first && this.#groups.get(first);
    if (known?.series === series) return known;
    this.#finish(series.flatMap((one) => this.#groups.get(one) ?? []));
    const group = { series, chooser: this.#choosing.createChooser(series.length) };
    for (const one of series) this.#groups.set(one, group);
    return group;
  }

  /** Forwards the held rows of some groups, and forgets the groups. */
  #finish(groups: readonly Group[]): void {
    for (const { series, chooser } of new Set(groups)) {
      const last = chooser.finish(series);
      if (last) this.#next.consume(last);
      for (const one of series) this.#groups.delete(one);
    }
  }
}
