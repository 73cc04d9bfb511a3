import {
  histogramColumns,
  listColumns,
  wholeColumns,
  type HistogramColumn,
} from '../recording/histogram-columns.js';
import { defineColumns, seriesColumns, tableNames, viewColumns, type ColumnKind } from './layout.js';

const types: Readonly<Record<ColumnKind, string>> = {
  id: 'INTEGER PRIMARY KEY',
  name: 'TEXT',
  text: 'TEXT',
  int: 'INTEGER',
  json: 'TEXT',
  time: 'INTEGER',
};

const { series, points, view, histograms, histogramView } = tableNames;

/** A column without a type keeps every double unchanged. Lists are JSON. */
function typeOf(column: HistogramColumn): string {
  if (listColumns.has(column)) return ' TEXT';
  return wholeColumns.has(column) ? ' INTEGER' : '';
}

const readableTime = (table: string) =>
  `strftime('%Y-%m-%dT%H:%M:%fZ', ${table}.time / 1000000000.0, 'unixepoch') AS time`;
const columnsOfView = viewColumns.map((name) => `series.${name}`).join(', ');

/** Creates missing tables. Instants are Unix time in nanoseconds. */
export const createSqliteTables = `
CREATE TABLE IF NOT EXISTS ${series} (
${defineColumns(({ kind, isRequired }) => types[kind] + (kind !== 'id' && isRequired ? ' NOT NULL' : ''))}
);
-- A column without a type keeps every double as it is, also -0. What is written together stays together, so that
-- a second of many series costs a few pages and not one for each of them.
CREATE TABLE IF NOT EXISTS ${points} (
  time INTEGER NOT NULL,
  series_id INTEGER NOT NULL,
  value,
  PRIMARY KEY (time, series_id)
) WITHOUT ROWID;
CREATE VIEW IF NOT EXISTS ${view} AS
  SELECT ${readableTime('points')}, points.value, ${columnsOfView}, points.series_id, points.time AS time_ns
  FROM ${points} AS points JOIN ${series} AS series ON series.id = points.series_id;
CREATE TABLE IF NOT EXISTS ${histograms} (
  time INTEGER NOT NULL,
  series_id INTEGER NOT NULL,
${histogramColumns.map((column) => `  ${column}${typeOf(column)},`).join('\n')}
  PRIMARY KEY (time, series_id)
) WITHOUT ROWID;
CREATE VIEW IF NOT EXISTS ${histogramView} AS
  SELECT ${readableTime('histograms')},
    ${histogramColumns.map((column) => `histograms.${column}`).join(', ')},
    ${columnsOfView}, histograms.series_id, histograms.time AS time_ns
  FROM ${histograms} AS histograms JOIN ${series} AS series ON series.id = histograms.series_id;
`;

const columns = seriesColumns.map(({ name }) => name);

/** A restarted series has not ended. */
export const insertSeries = `INSERT INTO ${series} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')}) ON CONFLICT (id) DO UPDATE SET end_time = NULL`;

/** Existing rows are kept. */
export const insertPoint = `INSERT OR IGNORE INTO ${points} (series_id, time, value) VALUES (?, ?, ?)`;

const histogramCells = ['series_id', 'time', ...histogramColumns];

/** The same for histograms, with figures in column order. */
export const insertHistogram = `INSERT OR IGNORE INTO ${histograms} (${histogramCells.join(', ')}) VALUES (${histogramCells.map(() => '?').join(', ')})`;

export const endSeries = `UPDATE ${series} SET end_time = ? WHERE id = ?`;

/** The columns needed to rebuild a series. */
export const selectSeries = `SELECT id, metric, unit, kind, value_type, description, resource, attributes, start_time, end_time FROM ${series}`;

export const selectPoints = `SELECT series_id, time, value FROM ${points} ORDER BY time, series_id`;

/** Whether a database has histograms: earlier versions have no table for them. */
export const selectHistogramTable = `SELECT name FROM sqlite_master WHERE type = 'table' AND name = '${histograms}'`;

export const selectHistograms = `SELECT ${histogramCells.join(', ')} FROM ${histograms} ORDER BY time, series_id`;

/** The instant before which at most a given number of the oldest points are. */
export const selectOldest = `SELECT min(?, ifnull((SELECT time FROM (SELECT time FROM ${points} UNION ALL SELECT time FROM ${histograms}) ORDER BY time LIMIT 1 OFFSET ?), ?))`;

export const deletePoints = `DELETE FROM ${points} WHERE time < ?`;

export const deleteHistograms = `DELETE FROM ${histograms} WHERE time < ?`;

export const deleteSeries = `DELETE FROM ${series} WHERE end_time < ?`;
