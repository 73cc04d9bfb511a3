import { EnergyTotal } from '../energy/energy-total.js';
import type { Series } from '../model/series.js';
import { createEnding, type Table } from '../model/table.js';

/** A published counter of joules. */
export class Account {
  readonly series: Series;
  readonly total = new EnergyTotal();

  constructor(series: Series) {
    this.series = series;
  }

  get value(): number {
    return this.total.joules;
  }
}

/** A published gauge. */
export class Gauge {
  readonly series: Series;
  value = NaN;

  constructor(series: Series) {
    this.series = series;
  }
}

type Column = Account | Gauge;

/**
 * A changing set of published values, and their rows. Rows of the same set become one table with the same array
 * of series.
 */
export class Publication {
  readonly #epoch: bigint;
  readonly #columns = new Set<Column>();
  /** The columns since the set last changed; undefined: it has changed since the last row. */
  #current: { readonly columns: readonly Column[]; readonly series: readonly Series[] } | undefined;
  #offsets: number[] = [];
  #values = new Float64Array(0);
  #tables: Table[] = [];
  #ended: Series[] = [];
  #lastAt = -Infinity;

  /** @param epoch Unix time in nanoseconds of time 0 */
  constructor(epoch: bigint) {
    this.#epoch = epoch;
  }

  /** Time of the last row. */
  get lastAt(): number {
    return this.#lastAt;
  }

  open<C extends Column>(column: C): C {
    this.#columns.add(column);
    this.#finishTable();
    return column;
  }

  /** This column has no further rows. */
  end(column: Column): void {
    if (!this.#columns.delete(column)) return;
    this.#finishTable();
    this.#ended.push(column.series);
  }

  /** @param at later than the previous row */
  writeRow(at: number): void {
    this.#current ??= arrange(this.#columns);
    const { columns } = this.#current;
    const from = this.#offsets.length * columns.length;
    if (this.#values.length < from + columns.length) this.#grow(from + columns.length);
    for (let i = 0; i < columns.length; i++) this.#values[from + i] = columns[i].value;
    this.#offsets.push(at);
    this.#lastAt = at;
  }

  /**
   * No column has further rows.
   * @returns as `take`
   */
  close(): readonly Table[] {
    for (const column of this.#columns) this.end(column);
    return this.take();
  }

  /** The rows written since the last call, then the series that have ended. */
  take(): readonly Table[] {
    if (this.#offsets.length > 0) this.#tables.push(this.#cutTable());
    if (this.#ended.length > 0) this.#tables.push(createEnding(this.#ended, this.#unixNs(this.#lastAt)));
    const tables = this.#tables;
    this.#tables = [];
    this.#ended = [];
    return tables;
  }

  #finishTable(): void {
    if (this.#offsets.length > 0) this.#tables.push(this.#cutTable());
    this.#current = undefined;
  }

  #cutTable(): Table {
    const series = this.#current?.series ?? [];
    const [firstAt] = this.#offsets;
    const table = {
      series,
      epoch: this.#unixNs(firstAt),
      offsets: Float64Array.from(this.#offsets, (at) => at - firstAt),
      values: this.#values.slice(0, this.#offsets.length * series.length),
    };
    this.#offsets = [];
    return table;
  }

  #grow(length: number): void {
    const values = new Float64Array(2 * length);
    values.set(this.#values);
    this.#values = values;
  }

  #unixNs(at: number): bigint {
    return this.#epoch + BigInt(at);
  }
}

function arrange(set: ReadonlySet<Column>) {
  const columns = [...set];
  return { columns, series: columns.map((column) => column.series) };
}
