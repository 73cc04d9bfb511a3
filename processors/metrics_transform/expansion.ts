import { createPlans } from '../../src/model/plan.js';
import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';

/** One of the series that a series becomes. */
export interface Output {
  /** The series itself where its values are the same, and for one output only. */
  readonly series: Series;
  readonly factor: number;
  /** Whether the values are cut off to whole numbers. */
  readonly isWhole: boolean;
  /** Where the values are what the series grew by: its last reading, NaN before the first one. */
  readonly last?: Float64Array;
}

/** How the tables with one array of series are changed. */
interface Plan {
  readonly series: readonly Series[];
  readonly sources: Int32Array;
  readonly factors: Float64Array;
  /** 1: cut off. */
  readonly whole: Uint8Array;
  /** Of the columns that are growth. */
  readonly growing: readonly GrowingColumn[];
}

interface GrowingColumn {
  readonly column: number;
  readonly last: Float64Array;
}

/** Gives each series several, one or no columns, with values that are multiplied. */
export class Expansion {
  readonly #outputsOf: (series: Series) => readonly Output[];
  /** Without a plan, the columns stay as they are. */
  readonly #planOf: (series: readonly Series[]) => { readonly plan: Plan | undefined };

  /** @param outputsOf asked once per series */
  constructor(outputsOf: (series: Series) => readonly Output[]) {
    this.#outputsOf = createPlans(outputsOf);
    this.#planOf = createPlans((series: readonly Series[]) => ({ plan: this.#createPlan(series) }));
  }

  /** @returns the table itself where nothing is to be changed */
  apply(table: Table): Table {
    const { plan } = this.#planOf(table.series);
    const ended = table.ended && this.#expandAll(table.ended);
    if (plan === undefined && ended === table.ended) return table;
    const columns = plan === undefined ? table : { ...table, ...copyColumns(table, plan) };
    return ended === undefined ? columns : { ...columns, ended };
  }

  #createPlan(series: readonly Series[]): Plan | undefined {
    const outputs = series.map((one) => this.#outputsOf(one));
    if (outputs.every((each, i) => each.length === 1 && each[0]?.series === series[i])) return undefined;
    const columns = outputs.flatMap((each, source) => each.map((output) => ({ ...output, source })));
    return {
      series: columns.map((column) => column.series),
      sources: Int32Array.from(columns, ({ source }) => source),
      factors: Float64Array.from(columns, ({ factor }) => factor),
      whole: Uint8Array.from(columns, ({ isWhole }) => Number(isWhole)),
      growing: [...columns.entries()].flatMap(([column, { last }]) => (last ? [{ column, last }] : [])),
    };
  }

  /** @returns the same array where each series is just itself */
  #expandAll(all: readonly Series[]): readonly Series[] {
    const expanded = all.flatMap((series) => this.#outputsOf(series).map((output) => output.series));
    return expanded.length === all.length && expanded.every((one, i) => one === all[i]) ? all : expanded;
  }
}

function copyColumns({ offsets, values, series: { length: stride } }: Table, plan: Plan) {
  const { series, sources, factors, whole, growing } = plan;
  const width = sources.length;
  const rows = width === 0 ? 0 : offsets.length;
  const copied = new Float64Array(rows * width);
  for (let row = 0, to = 0; row < rows; row++) {
    for (let i = 0; i < width; i++, to++) {
      const value = values[row * stride + sources[i]] * factors[i];
      copied[to] = whole[i] === 1 ? Math.trunc(value) : value;
    }
  }
  for (const column of growing) takeGrowth(copied, width, column);
  return { series, offsets: rows === 0 ? new Float64Array(0) : offsets, values: copied };
}

/**
 * Replaces readings by what they are more than the previous one; a gap is one here, and the next has all of its
 * growth.
 */
function takeGrowth(values: Float64Array, width: number, { column, last }: GrowingColumn): void {
  for (let cell = column; cell < values.length; cell += width) {
    const value = values[cell];
    if (Number.isNaN(value)) continue;
    values[cell] = value - last[0];
    last[0] = value;
  }
}
