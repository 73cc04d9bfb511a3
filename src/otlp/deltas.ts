import { createPlans, findOrAdd } from '../model/plan.js';
import type { Series } from '../model/series.js';
import { createSelection, selectColumns, type Selection, type Table } from '../model/table.js';
import { createRows, sliceRows, splitTimes, type Rows } from './columns.js';
import { isDelta } from './templates.js';

/** Deltas of some series, without gaps. */
export interface DeltaRows {
  readonly series: readonly Series[];
  readonly rows: Rows;
}

/** A table some of whose counters are sent as deltas. */
export interface DividedTable {
  /** The other series, and their ends. */
  readonly cumulative: Table;
  readonly deltas: readonly DeltaRows[];
}

/**
 * State of a counter, in one array for all counters, so that no number is allocated on the heap: the sum of the
 * deltas that were sent, and the halves of the Unix time up to which they count. NaN: its first point does not
 * count.
 */
const [sum, low, high] = [0, 1, 2] as const;
const stateWidth = 3;

/** How tables with the same array of series are divided. */
interface Plan {
  readonly others: Selection;
  readonly chosen: Selection;
  /** For each chosen column, the index of its state. */
  readonly states: Int32Array;
  /** 1 for each whose value is an integer. */
  readonly areInts: Uint8Array;
  /** Arrays of the series that have a delta in a row where others have none, by their columns. */
  readonly parts: Map<string, readonly Series[]>;
}

const none: readonly DeltaRows[] = [];
const maxParts = 16;

/**
 * Computes deltas of counters whose metric requires them. A delta is the difference between the counter and the
 * sum of all earlier deltas, so that rounding errors do not accumulate: the sum of the deltas is the counter,
 * exactly for integers.
 */
export class Deltas {
  readonly #states = new Map<Series, number>();
  readonly #free: number[] = [];
  readonly #planOf = createPlans((series: readonly Series[]) => this.#createPlan(series));
  #known = new Float64Array(64 * stateWidth);
  #used = 0;

  /** Takes tables in order. */
  take(table: Table): DividedTable {
    const plan = this.#planOf(table.series);
    const deltas = plan.states.length === 0 || table.offsets.length === 0 ? none : this.#convert(table, plan);
    const ended = table.ended?.filter((series) => !this.#end(series));
    if (plan.states.length === 0 && ended?.length === table.ended?.length)
      return { cumulative: table, deltas };
    const others = selectColumns(table, plan.others);
    return { cumulative: { ...others, ...(ended && { ended }) }, deltas };
  }

  #convert(table: Table, plan: Plan): readonly DeltaRows[] {
    const { series } = plan.chosen;
    const starts = new Uint32Array(2 * table.offsets.length * series.length);
    const chosen =
      series === table.series
        ? { ...table, values: table.values.slice() }
        : selectColumns(table, plan.chosen);
    this.#subtract(chosen, plan, starts);
    const rows = { ...createRows(chosen), starts };
    if (!rows.hasGaps) return [{ series, rows }];
    return Array.from(table.offsets, (_, row) => pickRow(plan, sliceRows(rows, row, 1))).flat();
  }

  /** Replaces the values by the deltas, NaN where there is none. */
  #subtract({ epoch, offsets, values }: Table, { states, areInts }: Plan, starts: Uint32Array): void {
    const known = this.#known;
    const times = splitTimes(epoch, offsets);
    for (let cell = 0, row = 0; row < offsets.length; row++) {
      const nowLow = times[2 * row];
      const nowHigh = times[2 * row + 1];
      for (let i = 0; i < states.length; i++, cell++) {
        const state = states[i];
        const value = areInts[i] === 1 ? Math.round(values[cell]) : values[cell];
        values[cell] = NaN;
        if (Number.isNaN(value)) continue;
        const isLater =
          nowHigh > known[state + high] || (nowHigh === known[state + high] && nowLow > known[state + low]);
        if (isLater) {
          values[cell] = differenceOf(value, known[state + sum]);
          if (Number.isNaN(values[cell])) continue;
          starts[2 * cell] = known[state + low];
          starts[2 * cell + 1] = known[state + high];
          known[state + sum] += values[cell];
        } else if (Number.isNaN(known[state + high])) known[state + sum] = value;
        else continue;
        known[state + low] = nowLow;
        known[state + high] = nowHigh;
      }
    }
  }

  #createPlan(series: readonly Series[]): Plan {
    const chosen = createSelection(series, ({ metric }) => isDelta(metric));
    return {
      chosen,
      others: createSelection(series, ({ metric }) => !isDelta(metric)),
      states: Int32Array.from(chosen.series, (one) => findOrAdd(this.#states, one, () => this.#claim(one))),
      areInts: Uint8Array.from(chosen.series, ({ metric }) => (metric.valueType === 'int' ? 1 : 0)),
      parts: new Map(),
    };
  }

  #claim({ metric: { delta }, start }: Series): number {
    const state = this.#free.pop() ?? this.#extend();
    const countsFromStart =
      delta?.initial === 'keep' || (delta?.initial === 'auto' && start > 0n && start >= delta.since);
    this.#known[state + sum] = 0;
    this.#known[state + low] = countsFromStart ? Number(BigInt.asUintN(32, start)) : NaN;
    this.#known[state + high] = countsFromStart ? Number(BigInt.asUintN(32, start >> 32n)) : NaN;
    return state;
  }

  #extend(): number {
    const state = this.#used;
    this.#used += stateWidth;
    if (this.#used > this.#known.length) {
      const larger = new Float64Array(2 * this.#known.length);
      larger.set(this.#known);
      this.#known = larger;
    }
    return state;
  }

  /** @returns whether it is sent as deltas: then no point marks its end */
  #end(series: Series): boolean {
    const state = this.#states.get(series);
    if (state !== undefined) this.#free.push(state);
    this.#states.delete(series);
    return isDelta(series.metric);
  }
}

/** NaN: the counter fell, which happens only through rounding of the sum. */
function differenceOf(value: number, sent: number): number {
  const difference = value - sent;
  if (difference >= 0) return difference;
  return -difference <= value * 1e-15 ? 0 : NaN;
}

/** The cells of a row that are not gaps. */
function pickRow({ chosen: { series }, parts }: Plan, row: Rows): readonly DeltaRows[] {
  if (!row.hasGaps) return [{ series, rows: row }];
  const first = row.first * row.width;
  const columns = [...series.keys()].filter((column) => !Number.isNaN(row.values[first + column]));
  if (columns.length === 0) return none;
  if (parts.size >= maxParts) parts.clear();
  const part = findOrAdd(parts, columns.join(), () => columns.map((column) => series[column]));
  const starts = Uint32Array.from({ length: 2 * columns.length }, (_, half) => {
    const cell = first + columns[half >> 1];
    return row.starts?.[2 * cell + (half & 1)] ?? 0;
  });
  const rows = {
    values: Float64Array.from(columns, (column) => row.values[first + column]),
    width: columns.length,
    times: row.times.subarray(2 * row.first, 2 * row.first + 2),
    starts,
    first: 0,
    count: 1,
    hasGaps: false,
  };
  return [{ series: part, rows }];
}
