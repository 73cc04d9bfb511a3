import { diag, DiagLogLevel } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { describeError } from '../errors.js';
import { describeConnectionError } from '../http/connection-error.js';
import { createDiagLog } from './diag-log.js';
import { viewsOf } from './levels.js';
import { observeOwnProcess } from './own-metrics.js';
import { createPullReader, serveMetrics } from './pull.js';
import type { Push } from './push.js';
import type { Telemetry, TelemetryRequest } from './telemetry.js';

/** A backend that does not answer must not hold up the end of the agent. */
const lastPushMs = 1000;

/** Only `startTelemetry` calls this: importing this module loads the SDK. */
export async function openTelemetry(request: TelemetryRequest): Promise<Telemetry> {
  const { level, log, pull } = request;
  diag.setLogger(createDiagLog(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const pushes = await createPushes(request);
  const pullReader = createPullReader();
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ ...request.attributes }),
    readers: [...pushes.map(({ reader }) => reader), ...(pull ? [pullReader] : [])],
    views: viewsOf(level),
    sdkMetricsEnabled: level === 'detailed',
  });
  if (level === 'detailed') for (const { exporter } of pushes) exporter.setSelfObsMeterProvider(provider);
  const meter = provider.getMeter('joulemetry');
  const stopObserving = observeOwnProcess(meter, () => request.readJoules?.());
  const end = async () => {
    await shutDown(provider, request);
    stopObserving();
    diag.disable();
  };
  const listener = await (pull && serveMetrics(pull, pullReader, log).catch(endAndThrow(end)));
  let ending: Promise<void> | undefined;
  const close = async () => {
    await listener?.close();
    await end();
  };
  return { meter, address: listener?.address, shutdown: () => (ending ??= close()) };
}

/** The transport is loaded only for who pushes: it takes longer than everything else here. */
async function createPushes({ pushes, log }: TelemetryRequest): Promise<readonly Push[]> {
  if (pushes.length === 0) return [];
  const { createPush } = await import('./push.js');
  return pushes.map((config) => createPush(config, log));
}

/** Pushes a last time. */
async function shutDown(provider: MeterProvider, { log }: TelemetryRequest): Promise<void> {
  try {
    await provider.shutdown({ timeoutMillis: lastPushMs });
  } catch (error) {
    log.warn(`Cannot push own telemetry a last time: ${describeConnectionError(describeError(error))}`);
  }
}

function endAndThrow(end: () => Promise<void>) {
  return async (error: unknown): Promise<never> => {
    await end();
    throw error;
  };
}
