import {
  defineColumns,
  seriesColumns,
  tableNames,
  viewColumns,
  type ColumnKind,
} from '../../src/sql/layout.js';

const types: Readonly<Record<ColumnKind, string>> = {
  id: 'bigint',
  name: 'text',
  text: 'text',
  int: 'bigint',
  json: 'jsonb',
  time: 'timestamptz',
};

/** Quotes a name as an SQL identifier. */
function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes a text as an SQL literal. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The SQL statements for the tables of one schema. */
export interface Statements {
  /** Returns a row with `tables` and `schema`: whether each exists. */
  readonly find: string;
  readonly createSchema: string;
  readonly createTables: string;
  /** Turns the table of points into a hypertable, if the extension is installed. */
  readonly createHypertable: string;
  /** Creates a temporary table of this connection for the copied rows. */
  readonly createStaging: string;
  readonly copy: string;
  readonly insertPoints: string;
  /** Parameter: a list of rows as JSON. A series that continues has its end removed. */
  readonly insertSeries: string;
  /** Parameter: a list of ids and instants as JSON. */
  readonly endSeries: string;
}

const staging = 'pg_temp.joulemetry_points';

export function createStatements(schemaName: string): Statements {
  const schema = quote(schemaName);
  const series = `${schema}.${tableNames.series}`;
  const points = `${schema}.${tableNames.points}`;
  const view = `${schema}.${tableNames.view}`;
  const columns = seriesColumns.map(({ name }) => name).join(', ');
  const record = seriesColumns.map(({ name, kind }) => `${name} ${types[kind]}`).join(', ');
  return {
    find: `SELECT to_regclass(${literal(points)}) IS NOT NULL AS tables, to_regnamespace(${literal(schema)}) IS NOT NULL AS schema`,
    createSchema: `CREATE SCHEMA ${schema}`,
    createTables: `
CREATE TABLE ${series} (
${defineColumns(({ name, kind, isRequired }) => types[kind] + (name === 'id' ? ' PRIMARY KEY' : isRequired ? ' NOT NULL' : ''))}
);
CREATE INDEX ON ${series} (metric, host);
CREATE TABLE ${points} (
  series_id bigint NOT NULL,
  time timestamptz NOT NULL,
  value double precision,
  PRIMARY KEY (series_id, time)
);
CREATE INDEX ON ${points} USING brin (time);
CREATE VIEW ${view} AS
  SELECT points.time, points.value, ${viewColumns.map((name) => `series.${name}`).join(', ')}, points.series_id
  FROM ${points} AS points JOIN ${series} AS series ON series.id = points.series_id;
`,
    createHypertable: `SELECT create_hypertable(${literal(points)}, 'time') FROM pg_extension WHERE extname = 'timescaledb'`,
    createStaging: `CREATE TEMPORARY TABLE IF NOT EXISTS joulemetry_points (series_id bigint, time timestamptz, value double precision) ON COMMIT DELETE ROWS`,
    copy: `COPY ${staging} FROM STDIN (FORMAT binary)`,
    insertPoints: `INSERT INTO ${points} SELECT series_id, time, value FROM ${staging} ON CONFLICT DO NOTHING`,
    insertSeries: `INSERT INTO ${series} (${columns}) SELECT ${columns} FROM jsonb_to_recordset($1) AS given (${record}) ON CONFLICT (id) DO UPDATE SET end_time = NULL WHERE series.end_time IS NOT NULL`,
    endSeries: `UPDATE ${series} AS series SET end_time = given.time FROM jsonb_to_recordset($1) AS given (id bigint, time timestamptz) WHERE series.id = given.id`,
  };
}
