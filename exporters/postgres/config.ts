import { isAbsolute } from 'node:path';
import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { parseEndpoint } from '../../src/config/endpoint.js';
import { checkQueue, queueSettings } from '../../src/export/sending-settings.js';
import { checkTlsConfig, tlsSettings } from '../../src/http/tls-files.js';

export const schema = {
  endpoint: {
    doc: 'Address of the server: `host:port`, or the folder of its Unix socket, `/var/run/postgresql`.',
    format: 'string',
    default: 'localhost:5432',
  },
  database: { doc: 'Name of the database, which must exist.', format: 'string', default: 'joulemetry' },
  username: { doc: 'Role as which the exporter logs in.', format: 'string', default: 'joulemetry' },
  password_file: {
    doc: 'File with the password of that role; read again for every connection. Unset: no password, for authentication by `peer` or by a client certificate.',
    format: 'path',
    reads: 'secret',
    default: null,
  },
  schema: {
    doc: 'Schema that contains the tables.',
    format: 'string',
    default: 'joulemetry',
  },
  create_tables: {
    doc: 'Whether the schema, the tables and the view are created if they are missing. Existing ones are never changed.',
    format: 'boolean',
    default: true,
  },
  timescale: {
    doc: 'Whether the table `points` is created as a hypertable. `auto`: if the database has the extension timescaledb. `never`: as an ordinary table.',
    format: ['auto', 'never'],
    default: 'auto',
  },
  timeout: {
    doc: 'Maximum time to connect, and to wait for the answer to a request.',
    format: 'duration',
    default: '30s',
    min: 1,
  },
  tls: {
    insecure: {
      doc: 'Whether to connect without TLS. A Unix socket never has TLS.',
      format: 'boolean',
      default: false,
    },
    ...tlsSettings,
  },
  ...queueSettings,
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

/** The address of a server, in the form that the client library takes. A folder of sockets has no port in it. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly isSocket: boolean;
}

const defaultPort = 5432;

/** @throws Error when it is neither `host:port` nor an absolute path */
export function parseAddress(endpoint: string): Address {
  if (isAbsolute(endpoint)) return { host: endpoint, port: defaultPort, isSocket: true };
  const { host, port } = parseEndpoint(endpoint);
  return { host: host === '' ? 'localhost' : host, port, isSocket: false };
}

/** Validates settings that depend on each other. */
export function checkConfig(config: Config): readonly string[] {
  return [...checkEndpoint(config.endpoint), ...checkTlsConfig(config.tls), ...checkQueue(config)];
}

function checkEndpoint(endpoint: string): readonly string[] {
  try {
    parseAddress(endpoint);
    return [];
  } catch {
    return [`endpoint: expected host:port or the folder of a socket, found "${endpoint}"`];
  }
}
