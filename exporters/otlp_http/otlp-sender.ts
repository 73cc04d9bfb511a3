import type { Log } from '../../src/component/log.js';
import { appendPath } from '../../src/config/endpoint.js';
import { openHttpSender } from '../../src/export/http-sender.js';
import type { Sender } from '../../src/export/request-delivery.js';
import { createCompression } from '../../src/http/compression.js';
import { limitRejected, readExportResponse } from '../../src/otlp/export-response.js';
import { applyEnvironment, type Config } from './config.js';

/**
 * Opens a sender to a backend.
 * @throws Error naming the file or variable that cannot be used
 */
export function openOtlpSender(settings: Config, log: Log): Sender {
  const config = settings.from_environment ? applyEnvironment(settings, process.env) : settings;
  return openHttpSender(
    config,
    {
      url: metricsUrl(config),
      contentType: 'application/x-protobuf',
      compression: createCompression(config),
      addressSettings: 'endpoint or metrics_endpoint',
      isTooLarge: isTooLargeForCollector,
      checkAnswer: ({ body }, { points }) => limitRejected(readExportResponse(body), points),
    },
    log,
  );
}

function metricsUrl({ endpoint, metrics_endpoint: metricsEndpoint }: Config): URL {
  if (metricsEndpoint !== null) return new URL(metricsEndpoint);
  return appendPath(endpoint, '/v1/metrics');
}

/** The OpenTelemetry Collector answers 400, with the text of Go's http.MaxBytesError, to a request above its limit. */
function isTooLargeForCollector(status: number, reason: string): boolean {
  return status === 400 && reason.includes('http: request body too large');
}
