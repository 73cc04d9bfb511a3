import { createPlans } from '../../src/model/plan.js';
import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';

/** One of the series to which a series is converted. */
export interface Output {
  /** The input series itself if its values are unchanged, and for at most one output. */
  readonly series: Series;
  readonly factor: number;
  /** Whether the values are truncated to integers. */
  readonly isWhole: boolean;
  /** For values that are the growth of the series: its last reading, NaN before the first one. */
  readonly last?: Float64Array;
}

/** How tables with the same array of series are converted. */
interface Plan {
  readonly series: readonly Series[];
  readonly sources: Int32Array;
  readonly factors: Float64Array;
  /** 1: truncated. */
  readonly whole: Uint8Array;
  /** The columns that are growth. */
  readonly growing: readonly GrowingColumn[];
}

interface GrowingColumn {
  readonly column: number;
  readonly last: Float64Array;
}

/** Converts each series to any number of columns, with scaled values. */
export class Expansion {
  readonly #outputsOf: (series: Series) => readonly Output[];
  /** Without a plan, the columns are unchanged. */
  readonly #planOf: (series: readonly Series[]) => { readonly plan: Plan | undefined };

  /** @param outputsOf asked once per series */
  constructor(outputsOf: (series: Series) => readonly Output[]) {
    this.#outputsOf = createPlans(outputsOf);
    this.#planOf = createPlans((series: readonly Series[]) => ({ plan: this.#createPlan(series) }));
  }

  /** @returns the table itself if nothing changes */
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

  /** @returns the same array if each series is unchanged */
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
 * Replaces readings by their difference from the previous one; a gap stays a gap, and the next value includes
 * all growth since.
 */
function takeGrowth(values: Float64Array, width: number, { column, last }: GrowingColumn): void {
  for (let cell = column; cell < values.length; cell += width) {
    const value = values[cell];
    if (Number.isNaN(value)) continue;
    values[cell] = value - last[0];
    last[0] = value;
  }
}
