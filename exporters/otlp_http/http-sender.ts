import { OTLPExporterError } from '@opentelemetry/otlp-exporter-base';
import { createOtlpHttpExportDelegate } from '@opentelemetry/otlp-exporter-base/node-http';
import { readVersion } from '../../src/cli/version.js';
import { describeError, ExportError } from '../../src/component/errors.js';
import type { Log } from '../../src/component/log.js';
import { DelegateClient } from '../../src/otlp/delegate-client.js';
import { readTlsFiles } from '../../src/otlp/tls-files.js';
import type { Sender } from '../../src/pipeline/sending-queue.js';
import { createAttemptAgent } from './attempts.js';
import type { Config } from './config.js';
import { applyEnvironment } from './environment.js';

/** The transport's own time-out only steps in where ours failed to. */
const transportMarginMs = 5000;
const longestReason = 200;

/**
 * Opens the way to a backend: the official HTTP transport, configured by the settings alone.
 * @throws Error naming the file or variable that cannot be used
 */
export function openHttpSender(settings: Config, log: Log): Sender {
  const config = settings.from_environment ? applyEnvironment(settings, process.env) : settings;
  const url = metricsUrl(config);
  const agent = createAgent(url, config, log);
  const client = new DelegateClient(
    ({ serializer, metricsHelper }) =>
      // Given all its options at once, and not through convertLegacyHttpOptions, the transport reads no
      // OTEL_EXPORTER_OTLP_* variable.
      createOtlpHttpExportDelegate(
        {
          url: url.href,
          headers: () => Promise.resolve({ ...config.headers, 'Content-Type': 'application/x-protobuf' }),
          compression: config.compression,
          timeoutMillis: config.timeout + transportMarginMs,
          concurrencyLimit: 2 * config.sending_queue.num_consumers,
          agentFactory: () => agent,
          userAgent: `joulemetry/${readVersion()}`,
        },
        serializer,
        'otlp_http_metric_exporter',
        metricsHelper,
        undefined,
      ),
    toExportError,
  );
  return {
    target: url.href,
    send: (request) => client.send(request),
    async close() {
      agent.destroy();
      await client.close();
    },
  };
}

function metricsUrl({ endpoint, metrics_endpoint: metricsEndpoint }: Config): URL {
  if (metricsEndpoint !== null) return new URL(metricsEndpoint);
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/$/u, '')}/v1/metrics`;
  return url;
}

function createAgent(url: URL, { tls, timeout }: Config, log: Log) {
  if (tls.insecure_skip_verify) {
    log.warn(`Anybody can pretend to be ${url.host}: tls.insecure_skip_verify accepts every certificate`);
  }
  const options = {
    ...readTlsFiles(tls),
    keepAlive: true,
    rejectUnauthorized: !tls.insecure_skip_verify,
    ...(tls.server_name_override === null ? {} : { servername: tls.server_name_override }),
  };
  return createAttemptAgent(url.protocol, options, timeout);
}

/** What is left for the transport to say is permanent: a status that is neither success nor worth a retry. */
function toExportError(error: unknown): Error {
  if (error instanceof ExportError) return error;
  if (!(error instanceof OTLPExporterError) || error.code === undefined) {
    return new ExportError(describeError(error), { retryable: false, cause: error });
  }
  const reason = error.data
    ?.replaceAll(/[^\x20-\x7e]+/gu, ' ')
    .trim()
    .slice(0, longestReason);
  const message = [`HTTP ${error.code} ${error.message}`, reason].filter(Boolean).join(': ');
  return new ExportError(message, { retryable: false, cause: error });
}
