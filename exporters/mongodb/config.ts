import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { checkQueue, queueSettings } from '../../src/export/sending-settings.js';
import { checkTlsConfig, optionalTlsSettings } from '../../src/http/tls-files.js';

export const schema = {
  endpoint: {
    doc: 'Connection string of the servers, `mongodb://` or `mongodb+srv://`, without user and password.',
    format: 'string',
    default: 'mongodb://localhost:27017',
  },
  database: { doc: 'Name of the database.', format: 'string', default: 'joulemetry' },
  collection: {
    doc: 'Name of the collection, which is created if it is missing.',
    format: 'string',
    default: 'metrics',
  },
  time_series: {
    doc: 'Whether the collection is created as a time series. Otherwise it is created as an ordinary collection, in which no point is stored twice.',
    format: 'boolean',
    default: true,
  },
  expire_after_seconds: {
    doc: 'Number of seconds for which MongoDB keeps points. It is only used when the time series is created. Unset: no limit.',
    format: 'int',
    default: null,
    min: 1,
  },
  auth: {
    username: { doc: 'Name of the user. Unset: no user.', format: 'string', default: null },
    password_file: {
      doc: 'File with the password of that user; read again when the client reconnects after an error.',
      format: 'path',
      reads: 'secret',
      default: null,
    },
    source: { doc: 'Database in which the user is defined.', format: 'string', default: 'admin' },
    mechanism: {
      doc: 'How the user is authenticated. Unset: by the strongest method that the server offers.',
      format: ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN'],
      default: null,
    },
  },
  tls: optionalTlsSettings,
  timeout: {
    doc: 'Maximum time to find a server, to connect, and to wait for each answer.',
    format: 'duration',
    default: '10s',
    min: 1,
  },
  ...queueSettings,
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

/** Validates the combination of settings. */
export function checkConfig(config: Config): string[] {
  const { endpoint, auth, tls } = config;
  const problems = [...checkTlsConfig(tls), ...checkQueue(config)];
  if (!/^mongodb(?:\+srv)?:\/\/[^@]+$/u.test(endpoint)) {
    problems.push('endpoint: expected mongodb:// or mongodb+srv:// and servers without user and password');
  }
  if ((auth.username === null) !== (auth.password_file === null)) {
    problems.push('auth: expected username and password_file together, found only one of them');
  }
  return problems;
}
