import type { ConsumingComponent } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { createPlans } from '../../src/model/plan.js';
import type { Series } from '../../src/model/series.js';
import { createEnding, type Table } from '../../src/model/table.js';

/** What stays of the tables with one array of series. */
interface Plan {
  readonly series: readonly Series[];
  /** The columns that stay. */
  readonly columns: Uint32Array;
}

/** Lets the columns of some series pass. */
export function createFilter(passes: (series: Series) => boolean, next: Consumer): ConsumingComponent {
  const isKept = createPlans(passes);
  const planOf = createPlans((series: readonly Series[]) => createPlan(series, isKept));
  return {
    start() {},
    consume(table) {
      const plan = planOf(table.series);
      const ended = table.ended && keepAll(table.ended, isKept);
      if (plan.series === table.series && ended === table.ended) return next.consume(table);
      if (plan.series.length > 0)
        return next.consume({ ...table, ...recut(table, plan), ...withEnded(ended) });
      return ended === undefined || ended.length === 0 || next.consume(createEnding(ended, table.epoch));
    },
    shutdown() {},
  };
}

function createPlan(series: readonly Series[], isKept: (series: Series) => boolean): Plan {
  const columns = Uint32Array.from([...series.keys()].filter((column) => isKept(series[column])));
  return { series: keepAll(series, isKept), columns };
}

/** @returns the same array when it loses nothing */
function keepAll(series: readonly Series[], isKept: (series: Series) => boolean): readonly Series[] {
  return series.every(isKept) ? series : series.filter(isKept);
}

/** An ended list that lost everything has to hide that of the table. */
function withEnded(ended: readonly Series[] | undefined): Pick<Table, 'ended'> {
  return ended === undefined ? {} : { ended };
}

function recut({ values, series }: Table, plan: Plan): Pick<Table, 'series' | 'values'> {
  if (plan.series === series) return { series, values };
  const { columns } = plan;
  const kept = new Float64Array((values.length / series.length) * columns.length);
  for (let from = 0, to = 0; from < values.length; from += series.length) {
    for (let i = 0; i < columns.length; i++) kept[to++] = values[from + columns[i]];
  }
  return { series: plan.series, values: kept };
}
