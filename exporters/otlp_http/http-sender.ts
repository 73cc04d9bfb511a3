import type { Agent, ClientRequest } from 'node:http';
import type { AgentOptions } from 'node:https';
import { promisify } from 'node:util';
import { constants, gzip as gzipWithCallback } from 'node:zlib';
import { OTLPExporterError } from '@opentelemetry/otlp-exporter-base';
import { createOtlpHttpExportDelegate } from '@opentelemetry/otlp-exporter-base/node-http';
import { hideCredentials } from '../../src/config/hide-credentials.js';
import { readVersion } from '../../src/cli/version.js';
import { describeError, ExportError } from '../../src/component/errors.js';
import type { Log } from '../../src/component/log.js';
import { cleanText } from '../../src/http/connection-error.js';
import { createClientAgent, prepareRequests, type Route } from '../../src/http/client-agent.js';
import { DelegateClient } from '../../src/otlp/delegate-client.js';
import { describeRoute, findProxy, parseProxy, type HttpProxy } from '../../src/http/proxy.js';
import { openTlsContext } from '../../src/http/tls-files.js';
import type { QueuedRequest } from '../../src/export/queue-storage.js';
import type { Sender } from '../../src/export/sending-queue.js';
import type { Config } from './config.js';
import { applyEnvironment } from './environment.js';
import { findStatusError, toConnectionError } from './retry-codes.js';

/** The transport's own time-out only steps in where ours failed to. */
const transportMarginMs = 5000;

const gzip = promisify(gzipWithCallback);

/**
 * Opens the way to a backend: the official HTTP transport, configured by the settings and, for proxies, HTTPS_PROXY,
 * HTTP_PROXY and NO_PROXY alone.
 * @throws Error naming the file or variable that cannot be used
 */
export function openHttpSender(settings: Config, log: Log): Sender {
  const config = settings.from_environment ? applyEnvironment(settings, process.env) : settings;
  const url = metricsUrl(config);
  const proxy = chooseProxy(url, config);
  const agent = createAgent(url, config, { log, proxy });
  const client = createClient(url, config, agent);
  const isCompressed = config.compression === 'gzip';
  return {
    target: describeRoute(hideCredentials(url.href), proxy),
    send: async (request) => client.send(isCompressed ? await compress(request) : request),
    async close() {
      agent.destroy();
      await client.close();
    },
  };
}

function createClient({ href: url }: URL, config: Config, agent: Agent): DelegateClient {
  const encoding: Record<string, string> =
    config.compression === 'gzip' ? { 'Content-Encoding': 'gzip' } : {};
  const headers = { ...config.headers, ...encoding, 'Content-Type': 'application/x-protobuf' };
  // Given all its options at once, and not through convertLegacyHttpOptions, the transport reads no
  // OTEL_EXPORTER_OTLP_* variable.
  const options = {
    url,
    // The transport adds to what it gets.
    headers: () => Promise.resolve({ ...headers }),
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

/**
 * The transport would compress as well, but for 10 % smaller requests, in small pieces, it takes several times
 * the CPU time.
 */
async function compress(request: QueuedRequest): Promise<QueuedRequest> {
  return { ...request, bytes: await gzip(request.bytes, { level: constants.Z_BEST_SPEED }) };
}

/** As in the Collector, a proxy that is set is used for every address, and the environment is not asked. */
function chooseProxy(url: URL, { proxy_url: text }: Config): HttpProxy | undefined {
  return text === null ? findProxy(url, process.env) : parseProxy(text, 'proxy_url');
}

function createAgent(
  url: URL,
  { tls, timeout }: Config,
  { log, proxy }: { log: Log; proxy: HttpProxy | undefined },
) {
  const context = openTlsContext(tls, url.host, log);
  const options = {
    keepAlive: true,
    rejectUnauthorized: !tls.insecure_skip_verify,
    ...(tls.server_name_override === null ? {} : { servername: tls.server_name_override }),
  };
  return createAttemptAgent(options, {
    context: url.protocol === 'https:' ? () => context.current() : undefined,
    proxy,
    timeoutMs: timeout,
  });
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
 * An agent for the official HTTP transport that ends each request with what happened to it. By itself the
 * transport repeats requests on a schedule of its own and keeps status and Retry-After to itself; here the
 * sending queue repeats, and needs to know both.
 */
function createAttemptAgent(options: AgentOptions, route: Route): Agent {
  const agent = createClientAgent(options, route);
  prepareRequests(agent, (request) => endWithExportError(request, route));
  return agent;
}

/** Turns whatever goes wrong into an ExportError before the transport sees it, which forwards it as it is. */
function endWithExportError(request: ClientRequest, { context, timeoutMs }: Route): void {
  const timer = setTimeout(() => {
    request.destroy(new ExportError(`no answer within ${timeoutMs} ms`, { retryable: true }));
  }, timeoutMs);
  request.once('close', () => clearTimeout(timer));
  request.prependListener('error', (error) => {
    if (!(error instanceof ExportError))
      request.emit('error', toConnectionError(error, !context && !request.reusedSocket));
  });
  request.prependOnceListener('response', (response) => {
    const error = findStatusError(response);
    if (error) request.emit('error', error);
  });
}
