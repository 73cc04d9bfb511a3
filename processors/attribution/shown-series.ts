import { elementAt } from '../../src/element.js';
import { createPlans } from '../../src/model/plan.js';
import type { Resource, Series } from '../../src/model/series.js';
import { createEnding, selectColumns, type Selection, type Table } from '../../src/model/table.js';
import { memoryTrafficMember, packageUsageMetrics } from '../../src/model/usage-metrics.js';

interface Plan {
  /** The version of the shown processes for which it was created. */
  readonly version: number;
  /** The forwarded columns, and the series they are forwarded as. */
  readonly selection: Selection;
}

/** Which processes are shown with separate series. */
export interface Shown {
  /** Changes whenever `has` may return a different result. */
  readonly version: number;
  /** Whether the series of this resource are forwarded. */
  has(resource: Resource): boolean;
}

/**
 * Forwards the `process.*` series only of processes that have separate energy series. When a process loses
 * them, its forwarded series end; when it gets them again, new series start.
 */
export class ShownSeries {
  readonly #shown: Shown;
  readonly #plans = new WeakMap<readonly Series[], Plan>();
  /** The forwarded series of processes, by their original series. */
  readonly #forwarded = new Map<Series, Series>();
  readonly #ended = new WeakSet<Series>();
  #sweptVersion = 0;

  constructor(shown: Shown) {
    this.#shown = shown;
  }

  /** @returns the table itself where nothing is left out; undefined where nothing remains */
  apply(table: Table): Table | undefined {
    const selection = this.#planOf(table.series);
    const { series } = selection;
    const ended = table.ended && this.#end(table.ended);
    if (series === table.series && (ended === undefined || ended.length === table.ended?.length))
      return table;
    if (series.length > 0) return { ...selectColumns(table, selection), ...(ended && { ended }) };
    return ended && ended.length > 0 ? createEnding(ended, table.epoch) : undefined;
  }

  /**
   * Ends the forwarded series of processes that no longer have separate series.
   * @param at Unix time in nanoseconds
   */
  sweep(at: bigint): Table | undefined {
    if (this.#shown.version === this.#sweptVersion) return undefined;
    this.#sweptVersion = this.#shown.version;
    const hidden = [...this.#forwarded.keys()].filter((series) => !this.#shown.has(series.resource));
    return hidden.length === 0 ? undefined : createEnding(this.#end(hidden), at);
  }

  #planOf(series: readonly Series[]): Selection {
    const { version } = this.#shown;
    const known = this.#plans.get(series);
    if (known?.version === version) return known.selection;
    const selection = this.#select(series, known?.selection.series);
    this.#plans.set(series, { version, selection });
    return selection;
  }

  /** The array of series is reused as long as its elements are unchanged. */
  #select(series: readonly Series[], previous: readonly Series[] | undefined): Selection {
    const [columns, forwarded]: [number[], Series[]] = [[], []];
    let resource: Resource | undefined;
    let isShown = true;
    for (let column = 0; column < series.length; column++) {
      const one = elementAt(series, column);
      const isProcess = isOfProcess(one);
      // The series of one process are adjacent.
      if (isProcess && one.resource !== resource) {
        resource = one.resource;
        isShown = this.#shown.has(resource);
      }
      if (isProcess && !isShown) continue;
      columns.push(column);
      forwarded.push(isProcess ? this.#forward(one) : one);
    }
    const same = [series, previous].find((array) => isSame(forwarded, array));
    return { columns, series: same ?? forwarded };
  }

  #forward(series: Series): Series {
    const known = this.#forwarded.get(series);
    if (known) return known;
    const forwarded = this.#ended.has(series) ? { ...series } : series;
    this.#forwarded.set(series, forwarded);
    return forwarded;
  }

  /** @returns the forwarded series of these, as they were forwarded */
  #end(ended: readonly Series[]): readonly Series[] {
    return ended.flatMap((series) => {
      if (!isOfProcess(series)) return series;
      const forwarded = this.#forwarded.get(series);
      if (forwarded === undefined) return [];
      this.#forwarded.delete(series);
      this.#ended.add(series);
      return forwarded;
    });
  }
}

function isOfProcess({ metric }: Series): boolean {
  return metric.name.startsWith('process.');
}

function isSame(one: readonly Series[], other: readonly Series[] | undefined): boolean {
  return one.length === other?.length && one.every((series, i) => series === other[i]);
}

const names = new Set([...packageUsageMetrics, memoryTrafficMember].map(({ name }) => name));

/** Leaves out what receivers publish only for the ledger: the usage by package, and the members of groups. */
export class PackageSeries {
  /** Undefined: the table has none of these series. */
  readonly #planOf = createPlans((series: readonly Series[]) => ({ selection: select(series) }));
  /** Whether it has ever left a series out, so that ends have to be filtered. */
  #hasLeftOut = false;

  /** @returns the table itself where nothing is left out; undefined where nothing remains */
  apply(table: Table): Table | undefined {
    const { selection } = this.#planOf(table.series);
    if (selection !== undefined) this.#hasLeftOut = true;
    if (!this.#hasLeftOut) return table;
    const ended = table.ended?.filter(({ metric }) => !names.has(metric.name));
    if (selection === undefined && ended?.length === table.ended?.length) return table;
    const { series } = selection ?? table;
    if (series.length > 0) {
      const kept = selection ? selectColumns(table, selection) : table;
      return { ...kept, ...(ended && { ended }) };
    }
    return ended && ended.length > 0 ? createEnding(ended, table.epoch) : undefined;
  }
}

function select(series: readonly Series[]): Selection | undefined {
  const columns = [...series.keys()].filter((i) => !names.has(elementAt(series, i).metric.name));
  if (columns.length === series.length) return undefined;
  return { columns, series: columns.map((i) => elementAt(series, i)) };
}
