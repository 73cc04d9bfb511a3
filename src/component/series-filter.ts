import { createHistogramEnding, selectHistograms } from '../model/histogram-table.js';
import { createPlans } from '../model/plan.js';
import type { AnySeries, HistogramSeries, Series } from '../model/series.js';
import { createEnding, createSelection, selectColumns, type Table } from '../model/table.js';
import { passHistograms, type Consumer } from './consumer.js';

/**
 * Forwards the columns (or, for histograms, the rows) of some series, and which of them have ended.
 * @param passes called once per series
 */
export function createSeriesFilter(
  passes: (series: AnySeries) => boolean,
  next: Consumer,
): Required<Consumer> {
  const isKept = createPlans(passes);
  const selectionOf = createPlans((series: readonly Series[]) => createSelection(series, isKept));
  const rowsOf = createPlans((series: readonly HistogramSeries[]) =>
    [...series.entries()].flatMap(([row, one]) => (isKept(one) ? [row] : [])),
  );
  return {
    consume(table) {
      const selection = selectionOf(table.series);
      const { series } = selection;
      const ended = table.ended && keepAll(table.ended, isKept);
      if (series === table.series && ended === table.ended) return next.consume(table);
      if (series.length > 0) return next.consume({ ...selectColumns(table, selection), ...withEnded(ended) });
      return ended === undefined || ended.length === 0 || next.consume(createEnding(ended, table.epoch));
    },
    consumeHistograms(table) {
      const rows = rowsOf(table.series);
      const ended = table.ended && keepAll(table.ended, isKept);
      const isWhole = rows.length === table.series.length;
      if (isWhole && ended === table.ended) return passHistograms(next, table);
      if (rows.length > 0) {
        const kept = isWhole ? table : selectHistograms(table, rows);
        return passHistograms(next, { ...kept, ...(ended && { ended }) });
      }
      return (
        ended === undefined ||
        ended.length === 0 ||
        passHistograms(next, createHistogramEnding(ended, table.epoch))
      );
    },
  };
}

/** @returns the same array if nothing is removed */
function keepAll<S extends AnySeries>(series: readonly S[], isKept: (series: S) => boolean): readonly S[] {
  return series.every(isKept) ? series : series.filter(isKept);
}

/** An empty list must override that of the table. */
function withEnded(ended: readonly Series[] | undefined): Pick<Table, 'ended'> {
  return ended === undefined ? {} : { ended };
}
