import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import type { ClientConfig } from 'pg';
import type { Log } from '../../src/component/log.js';
import type { QueuedRequest } from '../../src/component/queue-storage.js';
import { ExportError } from '../../src/errors.js';
import { wholeDelivery, type Delivery, type Sender } from '../../src/export/request-delivery.js';
import { openTlsContext, type TlsContext } from '../../src/http/tls-files.js';
import { describeReadError, readRegularText } from '../../src/linux/regular-file.js';
import { parseRequest, type SqlRequest } from '../../src/sql/sql-request.js';
import { parseAddress, type Address, type Config } from './config.js';
import { loadDriver, type Driver } from './driver.js';
import { PostgresConnection } from './postgres-connection.js';
import { findState, toExportError } from './sql-state.js';
import { createStatements } from './tables.js';

const maxPasswordBytes = 64 * 1024;

/**
 * Opens a sender to a server. Connections are opened on demand.
 * @throws Error naming the package or file that cannot be used
 */
export async function openPostgresSender(config: Config, log: Log): Promise<Sender> {
  const driver = await loadDriver();
  const address = parseAddress(config.endpoint);
  // An unreadable file is a configuration error.
  readPassword(config);
  const isPlain = address.isSocket || config.tls.insecure;
  if (config.tls.insecure && !address.isSocket && !isLoopback(address.host))
    log.warn(`Any machine on the way to ${config.endpoint} can read what is sent: tls.insecure is set`);
  const tls = isPlain ? undefined : openTlsContext(config.tls, config.endpoint, log);
  return new PostgresSender(driver, config, { address, tls });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/** @throws Error naming the setting and the file, without its content */
function readPassword({ password_file: path }: Config): string {
  if (path === null) return '';
  try {
    return readRegularText(path, maxPasswordBytes).replace(/\r?\n$/u, '');
  } catch (error) {
    throw new Error(`Cannot read password_file "${path}": ${describeReadError(error)}`, { cause: error });
  }
}

interface Way {
  readonly address: Address;
  /** Undefined: no TLS. */
  readonly tls: TlsContext | undefined;
}

/** Sends each request on a connection that no other request uses at the same time. */
class PostgresSender implements Sender {
  readonly target: string;
  readonly #driver: Driver;
  readonly #config: Config;
  readonly #way: Way;
  readonly #statements;
  readonly #idle: PostgresConnection[] = [];
  readonly #busy = new Set<PostgresConnection>();

  constructor(driver: Driver, config: Config, way: Way) {
    this.target = `postgres://${config.endpoint}/${config.database}`;
    this.#driver = driver;
    this.#config = config;
    this.#way = way;
    this.#statements = createStatements(config.schema);
  }

  async send({ bytes }: QueuedRequest): Promise<Delivery> {
    try {
      await this.#write(parseRequest(bytes));
      return wholeDelivery;
    } catch (error) {
      throw this.#describe(toExportError(error));
    }
  }

  async close(): Promise<void> {
    for (const connection of this.#busy) connection.destroy();
    await Promise.allSettled(this.#idle.splice(0).map((connection) => connection.close()));
  }

  async #write(request: SqlRequest): Promise<void> {
    const known = this.#takeIdle();
    const connection = known ?? this.#create();
    this.#busy.add(connection);
    try {
      if (known === undefined) await connection.open();
      await connection.write(request);
      this.#idle.push(connection);
    } catch (error) {
      connection.destroy();
      throw error;
    } finally {
      this.#busy.delete(connection);
    }
  }

  /** Skips connections that the server has closed. */
  #takeIdle(): PostgresConnection | undefined {
    for (let one = this.#idle.pop(); one; one = this.#idle.pop()) if (one.isUsable) return one;
    return undefined;
  }

  #create(): PostgresConnection {
    const { timeout: timeoutMs, create_tables: createTables, timescale } = this.#config;
    return new PostgresConnection({
      driver: this.#driver,
      client: this.#createClientConfig(),
      timeoutMs,
      statements: this.#statements,
      createTables,
      useTimescale: timescale === 'auto',
    });
  }

  #createClientConfig(): ClientConfig {
    const { database, username: user, tls: settings } = this.#config;
    const { host, port } = this.#way.address;
    const context = this.#way.tls?.current();
    const { server_name_override: name } = settings;
    const ssl = context && {
      secureContext: context,
      rejectUnauthorized: !settings.insecure_skip_verify,
      // The client sets the server name itself, from the host only.
      ...(name !== null && { checkServerIdentity: checkAgainst(name) }),
    };
    const password = readPassword(this.#config);
    return { host, port, database, user, password, ssl: ssl ?? false, application_name: 'joulemetry' };
  }

  /** Adds the remedy. */
  #describe(error: ExportError): ExportError {
    const remedy = this.#findRemedy(error);
    return remedy === undefined ? error : new ExportError(`${error.message}; ${remedy}`, error);
  }

  #findRemedy({ message, cause }: ExportError): string | undefined {
    const { username, password_file: file } = this.#config;
    if (message.includes('does not support SSL')) return 'set tls.insecure to connect without TLS';
    if (message.includes('password must be a') && file === null) return 'set password_file';
    const state = findState(cause);
    if (state === '42501') return `grant what is missing to username "${username}"`;
    if (state?.startsWith('28') !== true) return undefined;
    return file === null
      ? `check username "${username}", or set password_file`
      : `check username "${username}" and password_file "${file}"`;
  }
}

/** Verifies a certificate against a name other than that of the host. */
function checkAgainst(name: string): (host: string, certificate: PeerCertificate) => Error | undefined {
  return (_, certificate) => checkServerIdentity(name, certificate);
}
