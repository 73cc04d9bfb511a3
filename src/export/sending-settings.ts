import type { ConfigOf, Schema } from '../component/schema.js';
import { checkClientConfig, clientSettings, credentialsSettings, type ClientConfig } from '../http/client.js';
import {
  checkCompression,
  compressionSettings,
  httpCompressionSettings,
  type CompressionConfig,
} from '../http/compression.js';
import { checkHeaders } from '../http/headers.js';
import { batchSettings } from './queued-exporter.js';
import { retrySettings } from './retry.js';
import { sendingQueueSettings } from './sending-queue.js';

/** Settings of exporters that queue requests until they are delivered. */
export const queueSettings = {
  batch: batchSettings,
  sending_queue: sendingQueueSettings,
  retry_on_failure: retrySettings,
} as const satisfies Schema;

/** Validates settings of the queue that depend on each other. */
export function checkQueue({ batch, sending_queue: queue }: QueueConfig): readonly string[] {
  if (queue.queue_bytes >= batch.max_bytes) return [];
  return [
    `sending_queue.queue_bytes: expected at least batch.max_bytes, ${batch.max_bytes}, found ${queue.queue_bytes}`,
  ];
}

type QueueConfig = Pick<ConfigOf<typeof queueSettings>, 'batch' | 'sending_queue'>;

/** Settings of requests over a network, with the Collector's names where they exist. */
export const requestSettings = {
  headers: {
    doc: 'Headers of every request, such as one with a token.',
    format: 'string_map',
    default: {},
    sensitive: true,
  },
  credentials: credentialsSettings,
  ...queueSettings,
} as const satisfies Schema;

/** The same for exporters with compression. */
export const sendingSettings = { ...compressionSettings, ...requestSettings } as const satisfies Schema;

/** Settings of exporters over HTTP, apart from the address. */
export const httpExporterSettings = {
  ...clientSettings,
  ...requestSettings,
  ...httpCompressionSettings,
} as const satisfies Schema;

type SendingConfig = QueueConfig & Pick<ConfigOf<typeof requestSettings>, 'headers' | 'credentials'>;

/** Validates settings that depend on each other. */
export function checkSendingConfig(config: SendingConfig): string[] {
  return [...checkHeaders(config.headers, 'headers'), ...checkQueue(config), ...checkAuthorization(config)];
}

/** The same for exporters that send over HTTP. */
export function checkHttpExporterConfig(config: SendingConfig & ClientConfig & CompressionConfig): string[] {
  return [...checkSendingConfig(config), ...checkClientConfig(config), ...checkCompression(config)];
}

function checkAuthorization({ headers, credentials }: SendingConfig): readonly string[] {
  const isConfigured = credentials.bearer_token_file !== null || credentials.username !== null;
  const header = Object.keys(headers).find((name) => name.toLowerCase() === 'authorization');
  return isConfigured && header !== undefined
    ? [`headers.${header}: expected no such header together with credentials`]
    : [];
}
