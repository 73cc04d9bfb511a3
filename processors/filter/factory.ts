import type { ConsumingComponent, ProcessorFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { createPlans } from '../../src/model/plan.js';
import type { Series } from '../../src/model/series.js';
import { createEnding, createSelection, selectColumns, type Table } from '../../src/model/table.js';
import { schema } from './config.js';
import { checkRules, createSeriesTest } from './rule.js';

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  check: ({ include, exclude }) => [...checkRules(include, 'include'), ...checkRules(exclude, 'exclude')],
  create: (config, _context, next) => createFilter(createSeriesTest(config), next),
};

/** Forwards the columns of some series. */
function createFilter(passes: (series: Series) => boolean, next: Consumer): ConsumingComponent {
  const isKept = createPlans(passes);
  const selectionOf = createPlans((series: readonly Series[]) => createSelection(series, isKept));
  return {
    start() {},
    consume(table) {
      const selection = selectionOf(table.series);
      const { series } = selection;
      const ended = table.ended && keepAll(table.ended, isKept);
      if (series === table.series && ended === table.ended) return next.consume(table);
      if (series.length > 0) return next.consume({ ...selectColumns(table, selection), ...withEnded(ended) });
      return ended === undefined || ended.length === 0 || next.consume(createEnding(ended, table.epoch));
    },
    shutdown() {},
  };
}

/** @returns the same array when it loses nothing */
function keepAll(series: readonly Series[], isKept: (series: Series) => boolean): readonly Series[] {
  return series.every(isKept) ? series : series.filter(isKept);
}

/** An ended list that lost everything has to hide that of the table. */
function withEnded(ended: readonly Series[] | undefined): Pick<Table, 'ended'> {
  return ended === undefined ? {} : { ended };
}
