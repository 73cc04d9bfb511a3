import { countHistograms, type HistogramTable } from '../model/histogram-table.js';
import { countPoints, type Table } from '../model/table.js';

/** What a recording holds, one after the other: tables of either kind. */
export type RecordedTable = Table | HistogramTable;

/** Whether a table is one of histograms. */
export function isHistograms(table: RecordedTable): table is HistogramTable {
  return 'layouts' in table;
}

/** Whether a table is one of numbers. */
export function isNumbers(table: RecordedTable): table is Table {
  return 'values' in table;
}

/** How many points a table holds, gaps included. */
export function countRecorded(table: RecordedTable): number {
  return isHistograms(table) ? countHistograms(table) : countPoints(table);
}
