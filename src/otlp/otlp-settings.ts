import { validateHeaderName, validateHeaderValue } from 'node:http';
import { describeError } from '../component/errors.js';
import type { ConfigOf, Schema } from '../config/schema.js';
import { retrySettings } from '../export/retry.js';
import { sendingQueueSettings } from '../export/sending-queue.js';

/** TLS settings of both OTLP exporters, by the Collector's names. */
export const tlsSettings = {
  ca_file: {
    doc: "Certificates of the authorities that may have signed the server's certificate, PEM; unset: those of Node.",
    format: 'path',
    default: null,
  },
  cert_file: {
    doc: 'Certificate with which this collector identifies itself, PEM.',
    format: 'path',
    default: null,
  },
  key_file: { doc: 'Key of that certificate, PEM.', format: 'path', default: null },
  server_name_override: {
    doc: "Name that the server's certificate must have, where it is not the endpoint's host.",
    format: 'string',
    default: null,
  },
  insecure_skip_verify: {
    doc: 'Accept any certificate of the server; logs a warning, because any machine on the way can then read and change what is sent.',
    format: 'boolean',
    default: false,
  },
  reload_interval: {
    doc: 'Shortest time between two looks at the files, which are read when a connection is opened; 0: at every connection.',
    format: 'duration',
    default: '0s',
  },
} as const satisfies Schema;

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
  batch: {
    flush_timeout: {
      doc: 'How long points wait for others that go into the same request.',
      format: 'duration',
      default: '200ms',
    },
    max_points: { doc: 'Most points of a request.', format: 'int', default: 8192, min: 1 },
    max_bytes: {
      doc: 'Most bytes of a request before compression; servers take 4 MiB by default.',
      format: 'byte_size',
      default: '3.5MiB',
      min: 1024,
    },
  },
  sending_queue: sendingQueueSettings,
  retry_on_failure: retrySettings,
  from_environment: {
    doc: 'Whether the variables `OTEL_EXPORTER_OTLP_METRICS_*` and `OTEL_EXPORTER_OTLP_*`, where they are set, take the place of settings; otherwise they are ignored.',
    format: 'boolean',
    default: false,
  },
} as const satisfies Schema;

export type TlsConfig = ConfigOf<typeof tlsSettings>;
export type OtlpConfig = ConfigOf<typeof otlpSettings>;

/** What is wrong with the settings of both exporters when they are taken together. */
export function checkOtlpConfig(config: OtlpConfig & { readonly tls: TlsConfig }): string[] {
  const { headers, tls, batch, sending_queue: queue } = config;
  const problems = Object.entries(headers).flatMap(([name, value]) => checkHeader(name, value));
  if ((tls.cert_file === null) !== (tls.key_file === null)) {
    problems.push('tls: expected cert_file and key_file together, found only one of them');
  }
  if (queue.queue_bytes < batch.max_bytes) {
    problems.push(
      `sending_queue.queue_bytes: expected at least batch.max_bytes, ${batch.max_bytes}, found ${queue.queue_bytes}`,
    );
  }
  return problems;
}

function checkHeader(name: string, value: string): readonly string[] {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return [];
  } catch (error) {
    return [`headers.${name}: ${describeError(error)}`];
  }
}
