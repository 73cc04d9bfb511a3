import { closeSync, openSync, statSync } from 'node:fs';
import { elementAt } from '../element.js';
import { figureText } from '../recording/figure-text.js';
import { histogramColumns } from '../recording/histogram-columns.js';
import { isHistogramRequest, parseHistogramRequest, type HistogramEntry } from './histogram-request.js';
import { KnownSeries, listEnds, type SeriesEnd } from './known-series.js';
import { createSeriesRow } from './layout.js';
import type { EncodedSeries } from './series-record.js';
import { parseRequest, type SqlRequest } from './sql-request.js';
import { openSqlite } from './sqlite.js';
import type { SqliteDatabase, SqliteStatement, SqliteValue } from './sqlite-database.js';
import {
  createSqliteTables,
  deleteHistograms,
  deletePoints,
  deleteSeries,
  endSeries,
  insertHistogram,
  insertPoint,
  insertSeries,
  selectOldest,
} from './sqlite-tables.js';

/** Points that are deleted by one transaction: writes and other programs need not wait for long. */
const deletedAtATime = 20_000;
/** Pages that are given back to the file system by one transaction. */
const freedPages = 500;

/** Which file is written, and how. */
export interface SqliteFileOptions {
  readonly path: string;
  /** 0: forever. */
  readonly maxAgeMs: number;
  readonly synchronous: 'normal' | 'full';
  readonly busyTimeoutMs: number;
}

interface Statements {
  readonly insertSeries: SqliteStatement;
  readonly insertPoint: SqliteStatement;
  readonly insertHistogram: SqliteStatement;
  readonly endSeries: SqliteStatement;
  readonly selectOldest: SqliteStatement;
  readonly deletePoints: SqliteStatement;
  readonly deleteHistograms: SqliteStatement;
  readonly deleteSeries: SqliteStatement;
}

/** What has to be written for a request. */
interface Work {
  readonly series: readonly EncodedSeries[];
  readonly ends: readonly SeriesEnd[];
  insert(statements: Statements): void;
}

/** A database that is open, and which file it is. */
interface Opened {
  readonly database: SqliteDatabase;
  readonly statements: Statements;
  readonly file: string;
}

/** The database file. It is opened when something is to be written, and again after whatever failed. */
export class SqliteFile {
  readonly #options: SqliteFileOptions;
  readonly #known = new KnownSeries();
  #opened: Opened | undefined;

  constructor(options: SqliteFileOptions) {
    this.#options = options;
  }

  /**
   * Writes a request as one transaction.
   * @throws SqliteError
   */
  write(bytes: Uint8Array): void {
    const work = isHistogramRequest(bytes) ? planHistograms(bytes) : planNumbers(bytes);
    // Another file may be in its place, or none.
    if (this.#opened && this.#opened.file !== identify(this.#options.path)) this.close();
    try {
      this.#opened ??= this.#open();
      this.#writeInto(this.#opened, work);
    } catch (error) {
      this.close();
      throw error;
    }
    this.#known.confirmSeries(work.series, work.ends);
  }

  /**
   * Deletes some of the points that are too old.
   * @returns whether there may be more
   */
  prune(nowMs: number): boolean {
    const { maxAgeMs } = this.#options;
    if (maxAgeMs === 0 || this.#opened === undefined) return false;
    const { database, statements } = this.#opened;
    const limit = BigInt(nowMs - maxAgeMs) * 1_000_000n;
    const [row] = statements.selectOldest.rows(limit, BigInt(deletedAtATime), limit);
    const before = row?.[0] ?? limit;
    statements.deletePoints.run(before);
    statements.deleteHistograms.run(before);
    if (before !== limit) return true;
    statements.deleteSeries.run(limit);
    database.execute(`PRAGMA incremental_vacuum(${freedPages})`);
    return false;
  }

  /** Safe to call twice. */
  close(): void {
    const opened = this.#opened;
    this.#opened = undefined;
    this.#known.clear();
    opened?.database.close();
  }

  #open(): Opened {
    const { path, synchronous, busyTimeoutMs } = this.#options;
    // Made by SQLite, it could be read by every user; the files next to it get its mode.
    closeSync(openSync(path, 'a', 0o600));
    const database = openSqlite(path);
    try {
      database.execute(`PRAGMA busy_timeout = ${Math.round(busyTimeoutMs)}`);
      database.execute('PRAGMA auto_vacuum = INCREMENTAL');
      database.execute('PRAGMA journal_mode = WAL');
      database.execute(`PRAGMA synchronous = ${synchronous}`);
      database.execute(createSqliteTables);
      const statements = {
        insertSeries: database.prepare(insertSeries),
        insertPoint: database.prepare(insertPoint),
        insertHistogram: database.prepare(insertHistogram),
        endSeries: database.prepare(endSeries),
        selectOldest: database.prepare(selectOldest),
        deletePoints: database.prepare(deletePoints),
        deleteHistograms: database.prepare(deleteHistograms),
        deleteSeries: database.prepare(deleteSeries),
      };
      return { database, statements, file: identify(path) };
    } catch (error) {
      database.close();
      throw error;
    }
  }

  #writeInto({ database, statements }: Opened, work: Work): void {
    database.execute('BEGIN IMMEDIATE');
    try {
      for (const record of this.#known.findUnknown(work))
        statements.insertSeries.run(...createSeriesRow(record));
      work.insert(statements);
      for (const { id, at } of work.ends) statements.endSeries.run(at, id);
      database.execute('COMMIT');
    } catch (error) {
      rollBack(database);
      throw error;
    }
  }
}

function planNumbers(bytes: Uint8Array): Work {
  const request = parseRequest(bytes);
  return {
    series: request.series,
    ends: listEnds(request),
    insert: (statements) => insertPoints(statements.insertPoint, request),
  };
}

function planHistograms(bytes: Uint8Array): Work {
  const entries = parseHistogramRequest(bytes);
  return {
    series: [...new Map(entries.map(({ series }) => [series.id, series])).values()],
    ends: entries.flatMap(({ series: { id }, at, figures }) => (figures === undefined ? [{ id, at }] : [])),
    insert({ insertHistogram: statement }) {
      for (const entry of entries) insertEntry(statement, entry);
    },
  };
}

function insertEntry(statement: SqliteStatement, { series, at, figures }: HistogramEntry): void {
  if (figures === undefined) return;
  const cells = histogramColumns.map((column): SqliteValue => {
    const figure = figures[column];
    return typeof figure === 'object' ? figureText(column, figure) : (figure ?? null);
  });
  statement.run(series.id, at, ...cells);
}

function insertPoints(
  statement: SqliteStatement,
  { points, times, values, indexes, series }: SqlRequest,
): void {
  for (let i = 0; i < points; i++) {
    // SQLite has no NaN: it is bound as null.
    statement.run(elementAt(series, indexes[i]).id, times[i], values[i]);
  }
}

/** After some errors SQLite has done it by itself. */
function rollBack(database: SqliteDatabase): void {
  try {
    database.execute('ROLLBACK');
  } catch {
    // The error that led here is the one to report.
  }
}

/** Device and inode; empty where there is no file. */
function identify(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.dev}:${stat.ino}`;
}
