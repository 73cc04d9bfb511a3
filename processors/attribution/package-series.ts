import { elementAt } from '../../src/element.js';
import { createPlans } from '../../src/model/plan.js';
import type { Series } from '../../src/model/series.js';
import { createEnding, selectColumns, type Selection, type Table } from '../../src/model/table.js';
import { memoryTrafficMember, packageUsageMetrics } from '../../src/model/usage-metrics.js';

const names = new Set([...packageUsageMetrics, memoryTrafficMember].map(({ name }) => name));

/** Leaves out what receivers publish for the ledger alone: the usage by package, and the members of groups. */
export class PackageSeries {
  /** Undefined: it has none of it. */
  readonly #planOf = createPlans((series: readonly Series[]) => ({ selection: select(series) }));
  /** Whether it has ever left something out, so that it may end. */
  #hasLeftOut = false;

  /** @returns the table itself where nothing is left out; undefined where nothing is left */
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
