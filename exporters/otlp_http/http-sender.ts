import type { ClientRequest } from 'node:http';
import { OTLPExporterError } from '@opentelemetry/otlp-exporter-base';
import { createOtlpHttpExportDelegate } from '@opentelemetry/otlp-exporter-base/node-http';
import type { Log } from '../../src/component/log.js';
import type { QueuedRequest } from '../../src/component/queue-storage.js';
import { describeError, ExportError } from '../../src/errors.js';
import type { Sender } from '../../src/export/courier.js';
import { openHttpClient, type HttpClient } from '../../src/http/client.js';
import { cleanText } from '../../src/http/connection-error.js';
import { DelegateClient } from '../../src/otlp/delegate-client.js';
import { gzip } from '../../src/otlp/gzip.js';
import { readVersion } from '../../src/version.js';
import { applyEnvironment, type Config } from './config.js';
import { findStatusError, toConnectionError } from './retry-codes.js';

/** The transport's own time-out only steps in where ours failed to. */
const transportMarginMs = 5000;

/**
 * Opens the way to a backend: the official HTTP transport with our client.
 * @throws Error naming the file or variable that cannot be used
 */
export function openHttpSender(settings: Config, log: Log): Sender {
  const config = settings.from_environment ? applyEnvironment(settings, process.env) : settings;
  const url = metricsUrl(config);
  const isPlain = url.protocol !== 'https:';
  const http = openHttpClient(url, config, log, (request) => endWithExportError(request, isPlain));
  const client = createClient(url, config, http);
  const isCompressed = config.compression === 'gzip';
  const { level } = config.compression_params;
  return {
    target: http.target,
    send: async (request) => client.send(isCompressed ? await compress(request, level) : request),
    async close() {
      http.agent.destroy();
      await client.close();
    },
  };
}

function createClient(
  { href: url }: URL,
  config: Config,
  { agent, authorization }: HttpClient,
): DelegateClient {
  const encoding: Record<string, string> =
    config.compression === 'gzip' ? { 'Content-Encoding': 'gzip' } : {};
  const headers = { ...config.headers, ...encoding, 'Content-Type': 'application/x-protobuf' };
  // Given all its options at once, and not through convertLegacyHttpOptions, the transport reads no
  // OTEL_EXPORTER_OTLP_* variable.
  const options = {
    url,
    // The transport adds to what it gets.
    headers: () => Promise.resolve({ ...headers, ...authorizationHeader(authorization()) }),
    compression: 'none' as const,
    timeoutMillis: config.timeout + transportMarginMs,
    concurrencyLimit: 2 * config.sending_queue.num_consumers,
    agentFactory: () => agent,
    userAgent: `joulemetry/${readVersion()}`,
  };
  return new DelegateClient(
    ({ serializer, metricsHelper }) =>
      createOtlpHttpExportDelegate(
        options,
        serializer,
        'otlp_http_metric_exporter',
        metricsHelper,
        undefined,
      ),
    toExportError,
  );
}

function metricsUrl({ endpoint, metrics_endpoint: metricsEndpoint }: Config): URL {
  if (metricsEndpoint !== null) return new URL(metricsEndpoint);
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/$/u, '')}/v1/metrics`;
  return url;
}

/** The transport would compress as well, but in small pieces, by a level of its own and for several times the CPU time. */
async function compress(request: QueuedRequest, level: number): Promise<QueuedRequest> {
  return { ...request, bytes: await gzip(request.bytes, level) };
}

function authorizationHeader(value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { Authorization: value };
}

/** What is left for the transport to say is permanent: a status that is neither success nor worth a retry. */
function toExportError(error: unknown): Error {
  if (error instanceof ExportError) return error;
  if (!(error instanceof OTLPExporterError) || error.code === undefined) {
    return new ExportError(describeError(error), { retryable: false, cause: error });
  }
  const reason = cleanText(error.data ?? '');
  const message = [`HTTP ${error.code} ${error.message}`, reason].filter(Boolean).join(': ');
  return new ExportError(message, {
    retryable: false,
    isTooLarge: isTooLargeForCollector(error.code, reason),
    cause: error,
  });
}

/** The OpenTelemetry Collector answers 400, with the text of Go's http.MaxBytesError, to a request beyond its limit. */
function isTooLargeForCollector(status: number, reason: string): boolean {
  return status === 400 && reason.includes('http: request body too large');
}

/**
 * Ends a request with what happened to it: turns whatever goes wrong into an ExportError before the official transport
 * sees it, which forwards it as it is. By itself the transport repeats requests on a schedule of its own and keeps
 * status and Retry-After to itself; here the sending queue repeats, and needs to know both.
 */
function endWithExportError(request: ClientRequest, isPlain: boolean): void {
  request.prependListener('error', (error) => {
    if (!(error instanceof ExportError))
      request.emit('error', toConnectionError(error, isPlain && !request.reusedSocket));
  });
  request.prependOnceListener('response', (response) => {
    const error = findStatusError(response);
    if (error) request.emit('error', error);
  });
}
