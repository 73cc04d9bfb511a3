import type { ConfigOf, Schema } from '../component/schema.js';
import { batchSettings } from '../export/queued-exporter.js';
import { retrySettings } from '../export/retry.js';
import { sendingQueueSettings } from '../export/sending-queue.js';
import { checkHeaders } from '../http/headers.js';

/** Settings that both OTLP exporters have, by the Collector's names where it has them. */
export const otlpSettings = {
  headers: {
    doc: 'Sent along with every request, say for authentication.',
    format: 'string_map',
    default: {},
    sensitive: true,
  },
  compression: {
    doc: 'How requests are compressed.',
    format: ['gzip', 'none'],
    default: 'gzip',
  },
  batch: batchSettings,
  sending_queue: sendingQueueSettings,
  retry_on_failure: retrySettings,
  from_environment: {
    doc: 'Whether the variables `OTEL_EXPORTER_OTLP_METRICS_*` and `OTEL_EXPORTER_OTLP_*`, where they are set, take the place of settings; otherwise they are ignored.',
    format: 'boolean',
    default: false,
  },
} as const satisfies Schema;

export type OtlpConfig = ConfigOf<typeof otlpSettings>;

/** What is wrong with the settings of both exporters when they are taken together. */
export function checkOtlpConfig(config: OtlpConfig): string[] {
  const { headers, batch, sending_queue: queue } = config;
  const problems = checkHeaders(headers, 'headers');
  if (queue.queue_bytes < batch.max_bytes) {
    problems.push(
      `sending_queue.queue_bytes: expected at least batch.max_bytes, ${batch.max_bytes}, found ${queue.queue_bytes}`,
    );
  }
  return problems;
}
