import { defineColumns, seriesColumns, tableNames, viewColumns, type ColumnKind } from './layout.js';

const types: Readonly<Record<ColumnKind, string>> = {
  id: 'INTEGER PRIMARY KEY',
  name: 'TEXT',
  text: 'TEXT',
  int: 'INTEGER',
  json: 'TEXT',
  time: 'INTEGER',
};

const { series, points, view } = tableNames;

/** Creates the tables where they are missing. Instants are Unix time in nanoseconds. */
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
  SELECT strftime('%Y-%m-%dT%H:%M:%fZ', points.time / 1000000000.0, 'unixepoch') AS time, points.value,
    ${viewColumns.map((name) => `series.${name}`).join(', ')}, points.series_id, points.time AS time_ns
  FROM ${points} AS points JOIN ${series} AS series ON series.id = points.series_id;
`;

const columns = seriesColumns.map(({ name }) => name);

/** What has begun again has not ended. */
export const insertSeries = `INSERT INTO ${series} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')}) ON CONFLICT (id) DO UPDATE SET end_time = NULL`;

/** What is there already stays as it is. */
export const insertPoint = `INSERT OR IGNORE INTO ${points} (series_id, time, value) VALUES (?, ?, ?)`;

export const endSeries = `UPDATE ${series} SET end_time = ? WHERE id = ?`;

/** The columns that a reader needs to have the series again. */
export const selectSeries = `SELECT id, metric, unit, kind, value_type, description, resource, attributes, start_time, end_time FROM ${series}`;

export const selectPoints = `SELECT series_id, time, value FROM ${points} ORDER BY time, series_id`;

/** The instant before which the next of some number of the oldest points are, at most a given one. */
export const selectOldest = `SELECT min(?, ifnull((SELECT time FROM ${points} ORDER BY time LIMIT 1 OFFSET ?), ?))`;

export const deletePoints = `DELETE FROM ${points} WHERE time < ?`;

export const deleteSeries = `DELETE FROM ${series} WHERE end_time < ?`;
