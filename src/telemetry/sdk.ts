import { diag, DiagLogLevel, type DiagLogger } from '@opentelemetry/api';
import type { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationType, MeterProvider, type ViewOptions } from '@opentelemetry/sdk-metrics';
import type { Log } from '../component/log.js';
import { describeError } from '../errors.js';
import { describeConnectionError } from '../http/connection-error.js';
import { samplerLatenessName } from '../sampling/sampler-channel.js';
import { scrapeDurationName } from '../scraping/scrape-telemetry.js';
import { CounterRegistry } from './counter-registry.js';
import { observeOwnProcess } from './own-metrics.js';
import { createPullReader, MetricsServing, serveMetrics } from './pull.js';
import type { Push } from './push.js';
import type { Telemetry, TelemetryLevel, TelemetryRequest } from './telemetry.js';

/** A backend that does not answer must not delay the shutdown of the agent. */
const lastPushMs = 1000;

const sweepMs = 60_000;

/** Metrics of how well the collector works, which do not indicate loss: left out at `basic`. */
const beyondBasic = [
  'nodejs.*',
  'joulemetry.main_thread.*',
  'joulemetry.attribution.*',
  'joulemetry.sampler.ticks',
  samplerLatenessName,
  scrapeDurationName,
];

/** Only `startTelemetry` calls this: importing this module loads the SDK. */
export async function openTelemetry(request: TelemetryRequest): Promise<Telemetry> {
  const { level, log, pull } = request;
  diag.setLogger(createDiagLog(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const counters = new CounterRegistry((name) => level !== 'basic' || !isBeyondBasic(name));
  const pushes = await createPushes(request, counters);
  const pullReader = createPullReader(counters);
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ ...request.attributes }),
    // The SDK accepts no readers later, and a reload may require one.
    readers: [...pushes.map(({ reader }) => reader), pullReader],
    views: viewsOf(level),
    sdkMetricsEnabled: level === 'detailed',
  });
  if (level === 'detailed') for (const { exporter } of pushes) exporter.setSelfObsMeterProvider(provider);
  const meter = counters.createMeter(provider.getMeter('joulemetry'));
  const stopObserving = observeOwnProcess(meter, () => request.readJoules?.());
  const sweep = pushes.length > 0 ? startSweep(pullReader) : undefined;
  const end = async () => {
    clearInterval(sweep);
    await shutDown(provider, request);
    stopObserving();
    diag.disable();
  };
  const serving = new MetricsServing((where) => serveMetrics(where, pullReader, log));
  if (pull) await serving.open(pull).catch(endAndThrow(end));
  let ending: Promise<void> | undefined;
  const close = async () => {
    await serving.close();
    await end();
  };
  return {
    meter,
    get address() {
      return serving.address;
    },
    move: (next) => serving.move(next),
    shutdown: () => (ending ??= close()),
  };
}

/**
 * Collects for a page that may not be read: for a reader, the SDK keeps everything that others have collected since
 * its last collection, without limit. Not called without pushes, since the longest slice and other gauges refer to
 * the time since the last collection, which must be that of the last scrape.
 */
function startSweep(reader: PrometheusExporter): NodeJS.Timeout {
  return setInterval(() => void reader.collect().catch(() => undefined), sweepMs).unref();
}

/** The transport is loaded only for pushes: it takes longer than everything else here. */
async function createPushes(
  { pushes, log }: TelemetryRequest,
  counters: CounterRegistry,
): Promise<readonly Push[]> {
  if (pushes.length === 0) return [];
  const { createPush } = await import('./push.js');
  return pushes.map((config) => createPush(config, counters, log));
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

function isBeyondBasic(name: string): boolean {
  return beyondBasic.some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

/** The SDK's views that leave out what a level does not include. */
function viewsOf(level: TelemetryLevel): ViewOptions[] {
  if (level !== 'basic') return [];
  return beyondBasic.map((instrumentName) => ({
    instrumentName,
    aggregation: { type: AggregationType.DROP },
  }));
}

/** Forwards the SDK's diagnostic messages to our log. */
function createDiagLog(log: Log): DiagLogger {
  // The first text is often only the name of the reporting part.
  const at =
    (level: keyof Log) =>
    (...said: readonly unknown[]) =>
      log[level](['OpenTelemetry SDK', ...said.filter(isForPeople).map(describeError)].join(': '));
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug'), verbose: at('debug') };
}

function isForPeople(said: unknown): boolean {
  return typeof said === 'string' || said instanceof Error;
}
