import { countHistograms, type HistogramTable } from '../model/histogram-table.js';
import { countPoints, type Table } from '../model/table.js';

/** The contents of a recording: tables of either kind. */
export type RecordedTable = Table | HistogramTable;

/** Whether a table contains histograms. */
export function isHistograms(table: RecordedTable): table is HistogramTable {
  return 'layouts' in table;
}

/** Whether a table contains numbers. */
export function isNumbers(table: RecordedTable): table is Table {
  return 'values' in table;
}

/** Number of points of a table, including gaps. */
export function countRecorded(table: RecordedTable): number {
  return isHistograms(table) ? countHistograms(table) : countPoints(table);
}
