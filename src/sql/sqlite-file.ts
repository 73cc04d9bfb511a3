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

/** Points deleted per transaction, so that writes and other programs need not wait long. */
const deletedAtATime = 20_000;
/** Pages returned to the file system per transaction. */
const freedPages = 500;

/** The file to write, and its options. */
export interface SqliteFileOptions {
  readonly path: string;
  /** 0: unlimited. */
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

/** What must be written for a request. */
interface Work {
  readonly series: readonly EncodedSeries[];
  readonly ends: readonly SeriesEnd[];
  insert(statements: Statements): void;
}

/** An open database, and the identity of its file. */
interface Opened {
  readonly database: SqliteDatabase;
  readonly statements: Statements;
  readonly file: string;
}

/** The database file. It is opened on demand, and again after any failure. */
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
    // The file may have been replaced or removed.
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
   * Deletes some of the expired points.
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

  /** May be called twice. */
  close(): void {
    const opened = this.#opened;
    this.#opened = undefined;
    this.#known.clear();
    opened?.database.close();
  }

  #open(): Opened {
    const { path, synchronous, busyTimeoutMs } = this.#options;
    // Created here, since SQLite would make it readable by every user; the files next to it get its mode.
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

/** After some errors SQLite has already rolled back. */
function rollBack(database: SqliteDatabase): void {
  try {
    database.execute('ROLLBACK');
  } catch {
    // The error that led here is reported instead.
  }
}

/** Device and inode; empty if there is no file. */
function identify(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.dev}:${stat.ino}`;
}
