import { createHash } from 'node:crypto';
import type { Log } from '../../src/component/log.js';
import type { QueuedRequest } from '../../src/component/queue-storage.js';
import { openHttpSender } from '../../src/export/http-sender.js';
import { wholeDelivery, type Delivery, type Sender } from '../../src/export/request-delivery.js';
import { createCompression } from '../../src/http/compression.js';
import { KnownSeries } from '../../src/sql/known-series.js';
import { parseRequest, type SqlRequest } from '../../src/sql/sql-request.js';
import type { Config } from './config.js';
import { toClickhouseError } from './exception-codes.js';
import { encodeRows, encodeSeriesRows } from './rows.js';
import { createStatements, type Statements } from './tables.js';

/**
 * Opens a connection to a ClickHouse server.
 * @throws Error naming the file or variable that cannot be used
 */
export function openClickhouseSender(config: Config, log: Log): Sender {
  const http = openHttpSender(
    config,
    {
      url: new URL(config.endpoint),
      contentType: 'application/octet-stream',
      compression: createCompression(config),
      // Reads the short answer of a query.
      checkAnswer: ({ body }) => ({ rejectedPoints: 0, message: body.toString() }),
    },
    log,
  );
  return new ClickhouseSender(http, config);
}

/** Writes each request with two inserts: the new series, and the points. Each insert can be repeated safely. */
class ClickhouseSender implements Sender {
  readonly target: string;
  readonly #http: Sender;
  readonly #statements: Statements;
  readonly #known = new KnownSeries();
  #hasTables: boolean;

  constructor(http: Sender, { database, create_tables: createTables, async_insert: isAsync }: Config) {
    this.target = http.target;
    this.#http = http;
    this.#statements = createStatements(database, isAsync);
    this.#hasTables = !createTables;
  }

  async send({ bytes }: QueuedRequest): Promise<Delivery> {
    const request = parseRequest(bytes);
    try {
      if (!this.#hasTables) await this.#createTables();
      await this.#writeSeries(request);
      if (request.points > 0)
        await this.#post(encodeRows(this.#statements.insertPoints(tokenOf(bytes)), request));
    } catch (error) {
      throw toClickhouseError(error);
    }
    this.#known.confirm(request);
    return wholeDelivery;
  }

  close(): void | Promise<void> {
    return this.#http.close();
  }

  async #writeSeries(request: SqlRequest): Promise<void> {
    const version = BigInt(Date.now());
    const rows = encodeSeriesRows(this.#known.findUnknown(request), request, version);
    if (rows !== '') await this.#post(Buffer.from(this.#statements.insertSeries + rows));
  }

  async #createTables(): Promise<void> {
    if ((await this.#query(this.#statements.find)).trim() !== '1') {
      for (const statement of this.#statements.create) await this.#query(statement);
    }
    this.#hasTables = true;
  }

  async #query(sql: string): Promise<string> {
    return (await this.#post(Buffer.from(sql))).message;
  }

  /** Posts a query, followed by the rows that it inserts. */
  #post(bytes: Uint8Array): Promise<Delivery> {
    return this.#http.send({ bytes, points: 0 });
  }
}

/** A deduplication token: the same for a request that is sent again, also after a restart. */
function tokenOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}
