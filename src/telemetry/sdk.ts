import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { diag, DiagLogLevel } from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { describeError } from '../component/errors.js';
import { listenAsWished } from '../component/listen.js';
import type { Log } from '../component/log.js';
import { observeOwnProcess } from './own-metrics.js';
import type { Telemetry, TelemetryRequest } from './telemetry.js';

/** Only `startTelemetry` calls this: whoever imports this module has loaded the SDK. */
export async function openTelemetry(request: TelemetryRequest): Promise<Telemetry> {
  const { log } = request;
  diag.setLogger(describeDiag(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  // The exporter's own server knows no port 0, no clear errors and no right content type: ours asks it to collect.
  const reader = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ ...request.attributes }),
    readers: [reader],
  });
  const meter = provider.getMeter('joulemetry');
  const stopObserving = observeOwnProcess(meter, () => request.readJoules?.());
  const listener = await listenFor(request, reader).catch(async (error: unknown) => {
    stopObserving();
    await provider.shutdown();
    throw error;
  });
  if (listener) log.info(`Own metrics at http://${listener.address}/metrics`);
  let ending: Promise<void> | undefined;
  const end = async () => {
    stopObserving();
    await listener?.close();
    await provider.shutdown();
    diag.disable();
  };
  return { meter, address: listener?.address, shutdown: () => (ending ??= end()) };
}

function listenFor({ host, port, isExplicit, log }: TelemetryRequest, reader: PrometheusExporter) {
  const serializer = new PrometheusSerializer(undefined, false, undefined, false, true);
  const server = createServer((request, response) => void answer(request, response, reader, serializer));
  const endpoint = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return listenAsWished(server, { chosen: isExplicit ? endpoint : null, fallback: endpoint, log });
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

/** The SDK's own complaints, in our log. */
function describeDiag(log: Log) {
  // The first text is often but the name of who complains.
  const at =
    (level: keyof Log) =>
    (...said: readonly unknown[]) =>
      log[level](['OpenTelemetry SDK', ...said.filter(isForPeople).map(describeError)].join(': '));
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug'), verbose: at('debug') };
}

function isForPeople(said: unknown): boolean {
  return typeof said === 'string' || said instanceof Error;
}
