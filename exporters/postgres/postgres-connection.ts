import { once } from 'node:events';
import { Socket } from 'node:net';
import type { Client, ClientConfig } from 'pg';
import { KnownSeries, listEnds } from '../../src/sql/known-series.js';
import type { SqlRequest } from '../../src/sql/sql-request.js';
import { encodeCopy } from './copy-rows.js';
import type { Driver } from './driver.js';
import { endsJson, seriesJson } from './series-rows.js';
import type { Statements } from './tables.js';

/** Options of a connection. */
export interface ConnectionOptions {
  readonly driver: Driver;
  readonly client: ClientConfig;
  readonly timeoutMs: number;
  readonly statements: Statements;
  readonly createTables: boolean;
  readonly useTimescale: boolean;
}

/**
 * Advisory lock that keeps two agents from creating the tables at the same time. An arbitrary number that no
 * other program uses.
 */
const creationLock = 5_720_175_110_312n;

/** A connection to a server, which writes one request at a time. */
export class PostgresConnection {
  readonly #options: ConnectionOptions;
  readonly #socket = new Socket();
  readonly #client: Client;
  readonly #known = new KnownSeries();
  #isBroken = false;

  constructor(options: ConnectionOptions) {
    const { driver, client, timeoutMs } = options;
    this.#options = options;
    this.#client = new driver.Client({
      ...client,
      stream: () => this.#socket,
      connectionTimeoutMillis: timeoutMs,
    });
    // A request in progress fails by itself; otherwise the next request opens another connection.
    this.#client.on('error', () => (this.#isBroken = true));
    this.#client.once('end', () => (this.#isBroken = true));
  }

  /** Whether it can be used for another request. */
  get isUsable(): boolean {
    return !this.#isBroken;
  }

  /** Connects, and creates missing tables. */
  async open(): Promise<void> {
    await this.#client.connect();
    await this.#withinTime(this.#prepare());
  }

  /** Writes a request as one transaction: all of it or nothing. Existing rows are kept. */
  async write(request: SqlRequest): Promise<void> {
    await this.#withinTime(this.#write(request));
    this.#known.confirm(request);
  }

  /** Aborts what is in progress. */
  destroy(): void {
    this.#isBroken = true;
    this.#socket.destroy();
  }

  /** Closes the connection properly, while nothing is in progress. */
  async close(): Promise<void> {
    this.#isBroken = true;
    await this.#client.end();
  }

  async #write(request: SqlRequest): Promise<void> {
    const { statements } = this.#options;
    // A connection pooler may have switched to another server process.
    await this.#client.query(`BEGIN; ${statements.createStaging}`);
    const unknown = this.#known.findUnknown(request);
    if (unknown.length > 0) await this.#client.query(statements.insertSeries, [seriesJson(unknown)]);
    if (request.points > 0) await this.#copy(request);
    const ends = listEnds(request);
    if (ends.length > 0) await this.#client.query(statements.endSeries, [endsJson(ends)]);
    await this.#client.query('COMMIT');
  }

  async #copy(request: SqlRequest): Promise<void> {
    const { driver, statements } = this.#options;
    const stream = this.#client.query(driver.copyFrom(statements.copy));
    stream.end(encodeCopy(request));
    await once(stream, 'finish');
    await this.#client.query(statements.insertPoints);
  }

  async #prepare(): Promise<void> {
    const { createTables, statements } = this.#options;
    if (!createTables || (await this.#findTables()).tables) return;
    await this.#client.query(`BEGIN; SELECT pg_advisory_xact_lock(${creationLock})`);
    const found = await this.#findTables();
    if (!found.schema) await this.#client.query(statements.createSchema);
    if (!found.tables) await this.#createTables();
    await this.#client.query('COMMIT');
  }

  async #createTables(): Promise<void> {
    const { statements, useTimescale } = this.#options;
    await this.#client.query(statements.createTables);
    const extension = "SELECT FROM pg_extension WHERE extname = 'timescaledb'";
    if (!useTimescale || (await this.#client.query(extension)).rows.length === 0) return;
    await this.#client.query(statements.createHypertable);
  }

  async #findTables(): Promise<{ readonly tables: boolean; readonly schema: boolean }> {
    const { rows } = await this.#client.query<{ tables: boolean; schema: boolean }>(
      this.#options.statements.find,
    );
    return rows[0] ?? { tables: false, schema: false };
  }

  /** After any failure, only a new connection is certain to be in a clean state. */
  async #withinTime(work: Promise<void>): Promise<void> {
    const { timeoutMs } = this.#options;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.destroy();
    }, timeoutMs);
    try {
      await work;
    } catch (error) {
      this.destroy();
      if (!isLate) throw error;
      throw new Error(`expected an answer within ${timeoutMs} ms, found none`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}
