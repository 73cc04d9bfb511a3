import type { Collection, MongoClient, MongoClientOptions } from 'mongodb';
import type { Log } from '../../src/component/log.js';
import { hideCredentials } from '../../src/config/endpoint.js';
import { describeError } from '../../src/errors.js';
import type { Delivery } from '../../src/export/request-delivery.js';
import type { ThreadRequest, ThreadSender } from '../../src/export/sending-thread.js';
import { openSecretFile } from '../../src/http/secret-file.js';
import { openTlsContext, usesTls } from '../../src/http/tls-files.js';
import type { Config } from './config.js';
import { createDocument, type Document, type Driver } from './documents.js';
import { PointReader } from './queued-points.js';
import { toExportError } from './retry-codes.js';

/** If the answer to an insert is lost, at most this many documents are inserted a second time. */
const documentsPerInsert = 1000;
const [namespaceExists, duplicateKey] = [48, 11_000];

/** The progress of a request. */
interface Progress {
  readonly next: number;
  readonly rejected: number;
  readonly reason: string;
}

const untouched: Progress = { next: 0, rejected: 0, reason: '' };

/**
 * Loads the driver and prepares the connection, which the first request opens.
 * @throws Error naming what is missing or cannot be used
 */
export async function openMongodbSender(config: Config, log: Log): Promise<ThreadSender> {
  const driver = await loadDriver();
  return new MongodbSender(config, driver, createOptions(config, log));
}

async function loadDriver(): Promise<Driver> {
  try {
    return await import('mongodb');
  } catch (error) {
    throw new Error(
      `Cannot load the package mongodb: ${describeError(error)}; install it: npm install mongodb`,
      {
        cause: error,
      },
    );
  }
}

/** Converts requests to documents, in inserts of a thousand. Accepted documents of a request are not sent again. */
class MongodbSender implements ThreadSender {
  readonly target: string;
  readonly #config: Config;
  readonly #driver: Driver;
  readonly #options: () => MongoClientOptions;
  #client: MongoClient | undefined;
  #collection: Promise<Collection<Document>> | undefined;

  constructor(config: Config, driver: Driver, options: () => MongoClientOptions) {
    this.#config = config;
    this.#driver = driver;
    this.#options = options;
    this.target = `${config.database}.${config.collection} at ${hideCredentials(config.endpoint)}`;
  }

  async send(request: ThreadRequest): Promise<Delivery | undefined> {
    try {
      return await this.#insertAll(request);
    } catch (error) {
      // The next attempt uses new connections and reloads the files.
      void this.#leave();
      throw toExportError(error, this.#options().tls !== true);
    }
  }

  async close(): Promise<void> {
    await this.#leave();
  }

  async #insertAll(request: ThreadRequest): Promise<Delivery | undefined> {
    this.#collection ??= this.#open();
    const collection = await this.#collection;
    const reader = new PointReader(request.bytes);
    let progress = (request.progress as Progress | undefined) ?? untouched;
    reader.skip(progress.next);
    for (
      let part = reader.take(documentsPerInsert);
      part.length > 0;
      part = reader.take(documentsPerInsert)
    ) {
      const documents = part.map((point) => createDocument(this.#driver, point, this.#config.time_series));
      const { rejected, reason } = await insert(collection, documents);
      progress = {
        next: progress.next + part.length,
        rejected: progress.rejected + rejected,
        reason: progress.reason || reason,
      };
      request.progress = progress;
    }
    const { rejected, reason } = progress;
    return rejected === 0 ? undefined : { rejectedPoints: rejected, message: reason };
  }

  async #open(): Promise<Collection<Document>> {
    const {
      endpoint,
      database,
      collection,
      time_series: isTimeSeries,
      expire_after_seconds: expireAfterSeconds,
    } = this.#config;
    const client = new this.#driver.MongoClient(endpoint, this.#options());
    this.#client = client;
    const db = client.db(database);
    const timeSeries = {
      timeseries: { timeField: 'timestamp', metaField: 'meta', granularity: 'seconds' },
      ...(expireAfterSeconds === null ? {} : { expireAfterSeconds }),
    };
    try {
      await db.createCollection(collection, isTimeSeries ? timeSeries : {});
    } catch (error) {
      if (!hasCode(error, namespaceExists)) throw error;
    }
    return db.collection<Document>(collection);
  }

  async #leave(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#collection = undefined;
    // Closing fails only if there is nothing to close.
    await client?.close(true).catch(() => undefined);
  }
}

function hasCode(error: unknown, code: number): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** The driver's error about the documents of an insert. */
interface BulkError {
  readonly writeErrors: readonly { readonly code?: number; readonly errmsg?: string }[];
}

/** @throws Error of the driver if the insert as a whole failed */
async function insert(
  collection: Collection<Document>,
  documents: Document[],
): Promise<{ readonly rejected: number; readonly reason: string }> {
  try {
    await collection.insertMany(documents, { ordered: false });
    return { rejected: 0, reason: '' };
  } catch (error) {
    const refused = listRefused(error);
    if (refused === undefined) throw error;
    const lost = refused.filter(({ code }) => code !== duplicateKey);
    return { rejected: lost.length, reason: lost[0]?.errmsg ?? '' };
  }
}

/** The rejected documents; undefined if the error concerns all of them. */
function listRefused(error: unknown): BulkError['writeErrors'] | undefined {
  if (!(error instanceof Error) || error.name !== 'MongoBulkWriteError') return undefined;
  // The driver returns one error as an object, and several as a list.
  const { writeErrors } = error as unknown as BulkError;
  const list = [writeErrors].flat();
  return list.length > 0 ? list : undefined;
}

function createOptions(config: Config, log: Log): () => MongoClientOptions {
  const { timeout: timeoutMs } = config;
  const shared: MongoClientOptions = {
    appName: 'joulemetry',
    serverSelectionTimeoutMS: timeoutMs,
    connectTimeoutMS: timeoutMs,
    socketTimeoutMS: timeoutMs,
    // The sending queue retries, and knows which documents were accepted.
    retryWrites: false,
    maxPoolSize: config.sending_queue.num_consumers,
  };
  const tls = usesTls(config.tls) ? openTls(config, log) : () => ({});
  const login = openLogin(config, log);
  return () => ({ ...shared, ...tls(), ...login() });
}

function openTls({ tls, endpoint }: Config, log: Log): () => MongoClientOptions {
  const context = openTlsContext(tls, endpoint.replace(/^.*:\/\//u, ''), log);
  return () => ({
    tls: true,
    secureContext: context.current(),
    rejectUnauthorized: !tls.insecure_skip_verify,
    ...(tls.server_name_override === null ? {} : { servername: tls.server_name_override }),
  });
}

function openLogin({ auth }: Config, log: Log): () => MongoClientOptions {
  const { username, password_file: file, mechanism, source } = auth;
  if (username === null || file === null) return () => ({});
  const name = `auth.password_file "${file}"`;
  const password = openSecretFile(file, { name, log, use: (secret) => secret });
  return () => ({
    auth: { username, password: password() },
    authSource: source,
    ...(mechanism === null ? {} : { authMechanism: mechanism }),
  });
}
