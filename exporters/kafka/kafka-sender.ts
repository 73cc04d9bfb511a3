import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Log } from '../../src/component/log.js';
import type { QueuedRequest } from '../../src/component/queue-storage.js';
import { parseEndpoint } from '../../src/config/endpoint.js';
import { wholeDelivery, type Delivery, type Sender } from '../../src/export/request-delivery.js';
import { openSecretFile } from '../../src/http/secret-file.js';
import { openTlsContext, usesTls } from '../../src/http/tls-files.js';
import {
  BrokerClient,
  loadClient,
  type ClientOptions,
  type ClientPackage,
  type SendOptions,
  type TopicMessage,
} from './broker-client.js';
import type { Config } from './config.js';
import { divideByResource, wrapRequest } from './messages.js';
import { toExportError } from './retry-codes.js';

/**
 * Loads the client and prepares the connections, which the first request opens.
 * @throws Error naming what is missing or cannot be used
 */
export async function openKafkaSender(config: Config, log: Log): Promise<Sender> {
  const client = await loadClient();
  const { compression } = config.producer;
  if (!client.compressionsAlgorithms[compression].available) {
    throw new Error(
      `Cannot compress with ${compression}: expected Node 22.15 or later, found ${process.version}; set producer.compression to gzip`,
    );
  }
  const options = createOptions(config, client, log);
  return new KafkaSender(config, () => new BrokerClient(client, options, createSendOptions(config)));
}

/** Requests become messages of a topic. */
class KafkaSender implements Sender {
  readonly target: string;
  readonly #config: Config;
  readonly #open: () => BrokerClient;
  #client: BrokerClient | undefined;

  constructor(config: Config, open: () => BrokerClient) {
    this.#config = config;
    this.#open = open;
    this.target = `topic ${config.metrics.topic} of Kafka at ${config.brokers.join(', ')}`;
  }

  async send({ bytes }: QueuedRequest): Promise<Delivery> {
    const messages = this.#createMessages(bytes);
    this.#client ??= this.#open();
    const client = this.#client;
    try {
      await client.send(messages);
      return wholeDelivery;
    } catch (error) {
      const exportError = toExportError(error, !usesTls(this.#config.tls));
      // An unresponsive connection still counts as open, and the leader of a partition may have changed.
      if (exportError.retryable) this.#leave(client);
      throw exportError;
    }
  }

  close(): void {
    this.#client?.close();
  }

  #createMessages(bytes: Uint8Array): TopicMessage[] {
    const { metrics, partition_metrics_by_resource_attributes: isDivided } = this.#config;
    const { topic } = metrics;
    const messages = isDivided ? divideByResource(bytes) : wrapRequest(bytes);
    return messages.map(({ key, value }) => (key === undefined ? { topic, value } : { topic, key, value }));
  }

  /** The next attempt uses new connections. */
  #leave(client: BrokerClient): void {
    if (this.#client === client) this.#client = undefined;
    client.close();
  }
}

function createSendOptions({ producer, timeout: timeoutMs }: Config): SendOptions {
  return {
    acks: producer.required_acks,
    compression: producer.compression,
    autocreateTopics: producer.allow_auto_topic_creation,
    timeoutMs,
  };
}

const none = Buffer.alloc(0);

function createOptions(config: Config, { murmur2 }: ClientPackage, log: Log): ClientOptions {
  const { timeout: timeoutMs, partition_metrics_by_resource_attributes: isDivided } = config;
  return {
    clientId: config.client_id,
    bootstrapBrokers: [...config.brokers],
    timeout: timeoutMs,
    connectTimeout: timeoutMs,
    // The sending queue retries.
    retries: 0,
    // The partitioner of Kafka's official client, so that other producers put the same key into the same
    // partition.
    ...(isDivided
      ? { partitioner: ({ key = none }: { readonly key?: Buffer }) => murmur2(key) & 0x7fff_ffff }
      : {}),
    ...(usesTls(config.tls) ? createTls(config, log) : {}),
    ...createSasl(config, log),
  };
}

/** The client copies these options for every connection; changed files are read then. */
function createTls({ tls, brokers }: Config, log: Log): Pick<ClientOptions, 'tls' | 'tlsServerName'> {
  const context = openTlsContext(tls, brokers.join(', '), log);
  const options: ConnectionOptions = {
    rejectUnauthorized: !tls.insecure_skip_verify,
    get secureContext() {
      return context.current();
    },
  };
  // A server name must not be an IP address (RFC 6066, 3).
  const isNamed = brokers.every((broker) => isIP(parseEndpoint(broker).host) === 0);
  return { tls: options, tlsServerName: tls.server_name_override ?? isNamed };
}

function createSasl({ auth: { sasl } }: Config, log: Log): Pick<Partial<ClientOptions>, 'sasl'> {
  const { mechanism, username, password, password_file: file } = sasl;
  if (mechanism === null || username === null) return {};
  return { sasl: { mechanism, username, password: password ?? openPassword(file ?? '', log) } };
}

/** The client requests the password whenever it authenticates. */
function openPassword(file: string, log: Log): () => string {
  const name = `auth.sasl.password_file "${file}"`;
  return openSecretFile(file, { name, log, use: (password) => password });
}
