import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { parseEndpoint } from '../../src/config/endpoint.js';
import { describeError } from '../../src/errors.js';
import { checkQueue, queueSettings } from '../../src/export/sending-settings.js';
import { checkTlsConfig, optionalTlsSettings } from '../../src/http/tls-files.js';
import { identitySetting } from '../../src/otlp/place-identity.js';

/** Bytes of a record besides its message: key, headers and lengths, with some margin. */
const recordBytes = 256;

const saslSettings = {
  mechanism: {
    doc: 'How the user is authenticated. Unset: no user.',
    format: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'],
    default: null,
  },
  username: { doc: 'Name of the user.', format: 'string', default: null },
  password_file: {
    doc: 'File with the password of that user; read again when it changes.',
    format: 'path',
    reads: 'secret',
    default: null,
  },
  password: {
    doc: 'Password of that user, instead of a file, for example `${env:KAFKA_PASSWORD}`.',
    format: 'string',
    default: null,
    sensitive: true,
  },
} as const satisfies Schema;

export const schema = {
  brokers: {
    doc: 'Brokers to connect to first, as `host:port`. They report all other brokers.',
    format: 'string_list',
    default: ['localhost:9092'],
  },
  client_id: {
    doc: 'Name of this client in the logs of the brokers.',
    format: 'string',
    default: 'joulemetry',
  },
  metrics: {
    topic: { doc: 'Topic of the messages.', format: 'string', default: 'otlp_metrics' },
    encoding: {
      doc: 'Content of a message: an OTLP ExportMetricsServiceRequest in protobuf.',
      format: ['otlp_proto'],
      default: 'otlp_proto',
    },
  },
  partition_metrics_by_resource_attributes: {
    doc: 'Whether each resource has messages of its own, whose key is the hash of its attributes. All its points then go to one partition, in order.',
    format: 'boolean',
    default: false,
  },
  identity: identitySetting,
  tls: optionalTlsSettings,
  auth: { sasl: saslSettings },
  timeout: {
    doc: 'Maximum time to connect, and to wait for each answer of a broker.',
    format: 'duration',
    default: '5s',
    min: 1,
  },
  producer: {
    max_message_bytes: {
      doc: 'Maximum size of a message before compression. Brokers accept 1 MiB by default (`message.max.bytes`).',
      format: 'byte_size',
      default: '1000000',
      min: 2048,
    },
    required_acks: {
      doc: 'Which brokers must have stored a message before it counts as delivered. 1: the leader of its partition. -1: all in-sync replicas. 0: none.',
      format: 'int',
      default: 1,
      min: -1,
      max: 1,
    },
    compression: {
      doc: 'How messages are compressed. `zstd` needs Node 22.15 or later.',
      format: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
      default: 'none',
    },
    allow_auto_topic_creation: {
      doc: 'Whether the broker may create the topic, if it is configured to do so (`auto.create.topics.enable`).',
      format: 'boolean',
      default: true,
    },
  },
  ...queueSettings,
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

/** The limits of a request so that it fits into a message. */
export function limitBatch({ batch, producer }: Config): Config['batch'] {
  return { ...batch, max_bytes: Math.min(batch.max_bytes, producer.max_message_bytes - recordBytes) };
}

/** Validates the combination of settings. */
export function checkConfig(config: Config): string[] {
  const { brokers, tls, auth } = config;
  const problems = brokers.flatMap((broker, i) => findBrokerProblem(broker, i));
  if (brokers.length === 0) problems.push('brokers: expected at least one broker, found none');
  return [
    ...problems,
    ...checkQueue(config),
    ...checkTlsConfig(tls),
    ...checkSasl(auth.sasl),
    ...checkNames(config),
  ];
}

function findBrokerProblem(broker: string, i: number): readonly string[] {
  try {
    if (parseEndpoint(broker).host !== '') return [];
    return [`brokers[${i}]: expected a host before the port, found "${broker}"`];
  } catch (error) {
    return [`brokers[${i}]: ${describeError(error)}`];
  }
}

/** The names that Kafka accepts (org.apache.kafka.common.internals.Topic). */
function checkNames({ metrics: { topic } }: Config): readonly string[] {
  if (/^[\w.-]{1,249}$/u.test(topic) && !/^\.{1,2}$/u.test(topic)) return [];
  return [`metrics.topic: expected 1 to 249 letters, digits, ".", "_" or "-", found "${topic}"`];
}

function checkSasl(sasl: Config['auth']['sasl']): readonly string[] {
  const { mechanism, username, password_file: file, password } = sasl;
  if (mechanism === null) {
    const isUnused = username === null && file === null && password === null;
    return isUnused
      ? []
      : ['auth.sasl.mechanism: expected PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, found none'];
  }
  const problems = username === null ? ['auth.sasl.username: expected a user, found none'] : [];
  if ((file === null) === (password === null)) {
    const found = file === null ? 'none' : 'both';
    problems.push(`auth.sasl: expected password_file or password, found ${found}`);
  }
  return problems;
}
