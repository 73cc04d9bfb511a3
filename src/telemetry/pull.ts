import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { describeError } from '../component/errors.js';
import { listenAsWished, type Listener } from '../component/listen.js';
import type { Log } from '../component/log.js';
import type { PullWish } from './telemetry.js';

/** The reader of the SDK that waits for Prometheus. Its own server knows no port 0, no clear errors and no right content type: ours asks it to collect. */
export function createPullReader(): PrometheusExporter {
  return new PrometheusExporter({ preventServerStart: true });
}

/**
 * Serves what the reader collects at `/metrics`.
 * @returns undefined when nobody asked for this address and it is taken
 * @throws Error when the address that the user set cannot be had
 */
export async function serveMetrics(
  { host, port, isExplicit }: PullWish,
  reader: PrometheusExporter,
  log: Log,
): Promise<Listener | undefined> {
  const serializer = new PrometheusSerializer(undefined, false, undefined, false, true);
  const server = createServer((request, response) => void answer(request, response, reader, serializer));
  const endpoint = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const listener = await listenAsWished(server, {
    chosen: isExplicit ? endpoint : null,
    fallback: endpoint,
    log,
  });
  if (listener) log.info(`Own metrics at http://${listener.address}/metrics`);
  return listener;
}

/** Answers a request. Never rejects. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  reader: PrometheusExporter,
  serializer: PrometheusSerializer,
): Promise<void> {
  const path = request.url?.split('?', 1)[0];
  if (path !== '/metrics') {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('Not found, try /metrics\n');
    return;
  }
  try {
    const { resourceMetrics } = await reader.collect();
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    response.end(serializer.serialize(resourceMetrics));
  } catch (error) {
    response
      .writeHead(500, { 'content-type': 'text/plain' })
      .end(`Cannot collect: ${describeError(error)}\n`);
  }
}
