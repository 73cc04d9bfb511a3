import {
  defineColumns,
  seriesColumns,
  tableNames,
  viewColumns,
  type ColumnKind,
} from '../../src/sql/layout.js';

const types: Readonly<Record<ColumnKind, string>> = {
  id: 'Int64',
  name: 'LowCardinality(String)',
  text: 'String',
  int: 'Int64',
  json: 'String',
  time: "DateTime64(9, 'UTC')",
};

/** Types of columns that may be NULL. */
const nullableTypes: Readonly<Record<ColumnKind, string>> = {
  ...types,
  name: 'LowCardinality(Nullable(String))',
  int: 'Nullable(Int64)',
  time: "Nullable(DateTime64(9, 'UTC'))",
};

/** Number of requests that a table remembers as delivered. */
const rememberedRequests = 10_000;

/** Quotes a name as an SQL identifier. */
function quote(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}

/** The SQL statements for the tables of one database. */
export interface Statements {
  /** Returns 1 where the tables exist. */
  readonly find: string;
  readonly create: readonly string[];
  /** Followed by rows as JSON objects, one per line. */
  readonly insertSeries: string;
  /** Followed by rows in RowBinary format. */
  insertPoints(token: string): string;
}

export function createStatements(databaseName: string, isAsync: boolean): Statements {
  const database = quote(databaseName);
  const series = `${database}.${tableNames.series}`;
  const points = `${database}.${tableNames.points}`;
  const view = `${database}.${tableNames.view}`;
  const names = seriesColumns.map(({ name }) => name).join(', ');
  const async = isAsync ? 'async_insert = 1, wait_for_async_insert = 1' : 'async_insert = 0';
  return {
    find: `EXISTS VIEW ${view}`,
    create: [
      `CREATE DATABASE IF NOT EXISTS ${database}`,
      `CREATE TABLE IF NOT EXISTS ${series} (
${defineColumns(({ kind, isRequired }) => (isRequired ? types : nullableTypes)[kind])},
  version UInt64
) ENGINE = ReplacingMergeTree(version) ORDER BY id`,
      `CREATE TABLE IF NOT EXISTS ${points} (
  series_id Int64,
  time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD),
  value Nullable(Float64) CODEC(ZSTD)
) ENGINE = MergeTree PARTITION BY toYYYYMM(time) ORDER BY (series_id, time)
SETTINGS non_replicated_deduplication_window = ${rememberedRequests}`,
      `CREATE VIEW IF NOT EXISTS ${view} AS
  SELECT points.time AS time, points.value AS value, ${viewColumns.map((name) => `series.${name} AS ${name}`).join(', ')},
    points.series_id AS series_id
  FROM ${points} AS points INNER JOIN (SELECT * FROM ${series} FINAL) AS series ON series.id = points.series_id`,
    ],
    insertSeries: `INSERT INTO ${series} (${names}, version) SETTINGS async_insert = 0 FORMAT JSONEachRow\n`,
    insertPoints: (token) =>
      `INSERT INTO ${points} (series_id, time, value) SETTINGS ${async}, insert_deduplication_token = '${token}' FORMAT RowBinary\n`,
  };
}
