import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import {
  DataPointType,
  type MetricData,
  type MetricProducer,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { Log } from '../component/log.js';
import { describeError } from '../errors.js';
import { servePages, type Answer, type PageServer } from '../http/server.js';
import { nameFamily } from '../prometheus/names.js';
import type { PullOptions } from './telemetry.js';

const setting = 'service.telemetry.metrics.readers[].pull.exporter.prometheus.port';

/** A page is collected at most once in this time, however often it is requested. */
const maxAgeMs = 1000;

/**
 * The SDK's reader for Prometheus. The SDK's server has no port 0, no clear errors and no limits, so our server
 * requests collections from it.
 * @param counters read in addition to the instruments of the SDK
 */
export function createPullReader(counters: MetricProducer): PrometheusExporter {
  return new PrometheusExporter({ preventServerStart: true, metricProducers: [counters] });
}

/**
 * Serves the reader's metrics at `/metrics`.
 * @returns undefined when the address is the default one and is in use
 * @throws Error when the address that the user set is not available
 */
export async function serveMetrics(
  { host, port, isExplicit, webConfigFile }: PullOptions,
  reader: PrometheusExporter,
  log: Log,
): Promise<PageServer | undefined> {
  const endpoint = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const listener = await servePages(
    { '/metrics': keepFor(maxAgeMs, () => collect(reader)) },
    {
      chosen: isExplicit ? endpoint : null,
      fallback: endpoint,
      log,
      setting,
      ...(webConfigFile !== undefined && { webConfigFile }),
    },
  );
  if (listener) log.info(`Serving own metrics at ${listener.origin}/metrics`);
  return listener;
}

/** The server of the collector's own metrics, whose address may change. */
export class MetricsServing {
  readonly #serve: (pull: PullOptions) => Promise<PageServer | undefined>;
  #pull: PullOptions | undefined;
  #server: PageServer | undefined;

  /** @param serve as `serveMetrics` */
  constructor(serve: (pull: PullOptions) => Promise<PageServer | undefined>) {
    this.#serve = serve;
  }

  /** Undefined when nothing is served. */
  get address(): string | undefined {
    return this.#server?.address;
  }

  /** @throws Error when the address that the user set is not available */
  async open(pull: PullOptions): Promise<void> {
    this.#server = await this.#serve(pull);
    this.#pull = pull;
  }

  /**
   * Serves at another address; undefined: stops serving. The former address is served until the new one is,
   * unless both have the same port.
   * @throws Error when the new address is not available, even if it is the default one: the former one is still
   * served
   */
  async move(pull: PullOptions | undefined): Promise<void> {
    if (pull === undefined) {
      await this.close();
      return;
    }
    const next = { ...pull, isExplicit: true };
    const [former, server] = [this.#pull, this.#server];
    const isSamePort = former?.port === next.port && next.port !== 0;
    if (isSamePort) await server?.close();
    try {
      await this.open(next);
    } catch (error) {
      if (isSamePort && former && server) await this.open(former);
      throw error;
    }
    if (!isSamePort) await server?.close();
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#pull = undefined;
    await server?.close();
  }
}

const serializer = new PrometheusSerializer(undefined, false, undefined, false, true);

/** Never rejects. */
async function collect(reader: PrometheusExporter): Promise<Answer> {
  try {
    const { resourceMetrics } = await reader.collect();
    const headers = { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' };
    return { status: 200, headers, body: serializer.serialize(nameUnits(resourceMetrics)) };
  } catch (error) {
    return { status: 500, body: `Cannot collect: ${describeError(error)}\n` };
  }
}

/**
 * Names metrics as the `prometheus` exporter does, with their units, which the SDK's serialiser does not. Those
 * with the Collector's names keep them: its dashboards expect them without units.
 */
function nameUnits(resourceMetrics: ResourceMetrics): ResourceMetrics {
  const scopeMetrics = resourceMetrics.scopeMetrics.map(({ scope, metrics }) => ({
    scope,
    metrics: metrics.map(nameUnit),
  }));
  return { ...resourceMetrics, scopeMetrics };
}

function nameUnit(metric: MetricData): MetricData {
  const { name, unit } = metric.descriptor;
  if (name.startsWith('otelcol_')) return metric;
  const kind = metric.dataPointType === DataPointType.SUM && metric.isMonotonic ? 'counter' : 'gauge';
  return {
    ...metric,
    descriptor: { ...metric.descriptor, name: nameFamily({ name, unit, kind }).family },
  };
}

/** Creates a value on request, unless the last one is younger than `ms`. */
function keepFor<Value>(ms: number, make: () => Value): () => Value {
  let kept: { readonly value: Value; readonly madeMs: number } | undefined;
  return () => {
    const nowMs = performance.now();
    if (kept === undefined || nowMs - kept.madeMs >= ms) kept = { value: make(), madeMs: nowMs };
    return kept.value;
  };
}
