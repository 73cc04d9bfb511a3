import { credentials, type ChannelCredentials } from '@grpc/grpc-js';
import type { MeterProvider } from '@opentelemetry/api';
import { ExportResultCode } from '@opentelemetry/core';
import { createOtlpNetworkExportDelegate, OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import { createOtlpGrpcExporterMetrics } from '@opentelemetry/otlp-grpc-exporter-base';
import { MetricsExporterMetricsHelper, ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import {
  AggregationTemporality,
  PeriodicExportingMetricReader,
  type MetricProducer,
  type PushMetricExporter,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { Log } from '../component/log.js';
import { withoutScheme } from '../config/endpoint.js';
import type { PeriodicConfig } from '../config/service-schema.js';
import { describeError } from '../errors.js';
import { OutageLog } from '../export/delivery-log.js';
import { describeConnectionError } from '../http/connection-error.js';
import { describeRoute } from '../http/proxy.js';
import { TlsContext, type TlsFile } from '../http/tls-files.js';
import {
  ChangingCredentials,
  createGrpcMetadata,
  findGrpcProxy,
  GrpcTransport,
} from '../otlp/grpc-transport.js';
import { readOtlpHeaders } from '../otlp/otlp-settings.js';

type OtlpConfig = PeriodicConfig['exporter']['otlp'];

/** Sends the collector's own telemetry periodically. */
export interface Push {
  readonly reader: PeriodicExportingMetricReader;
  readonly exporter: OwnMetricExporter;
}

/** The fastest level: the collector's own telemetry is small. */
const ownGzipLevel = 1;
const standardTimeoutMs = 30_000;

/**
 * The official serialiser and our transport with the SDK's periodic reader.
 * @param counters sent in addition to the instruments of the SDK
 * @throws Error naming the certificate, header or variable that cannot be used
 */
export function createPush(
  { interval, timeout, exporter: { otlp } }: PeriodicConfig,
  counters: MetricProducer,
  log: Log,
): Push {
  const address = withoutScheme(otlp.endpoint);
  const proxy = findGrpcProxy(address, process.env);
  const isPlain = isWithoutTls(otlp);
  const metadata = createGrpcMetadata({ ...readOtlpHeaders(process.env), ...otlp.headers });
  const transport = new GrpcTransport({
    address,
    proxy,
    credentials: isPlain ? credentials.createInsecure() : createTlsCredentials(otlp, log),
    metadata: () => metadata,
    gzipLevel: otlp.compression === 'gzip' ? ownGzipLevel : undefined,
  });
  const exporter = new OwnMetricExporter(
    address,
    timeout ?? Math.min(standardTimeoutMs, interval),
    transport,
  );
  const reader = new PeriodicExportingMetricReader({
    metricProducers: [counters],
    exporter: reportChanges(exporter, { target: describeRoute(otlp.endpoint, proxy), isPlain }, log),
    exportIntervalMillis: interval,
    // The exporter's timeout comes first, so that failures are reported in one way.
    exportTimeoutMillis: interval,
  });
  return { reader, exporter };
}

/** Like the official exporter, with our transport. */
class OwnMetricExporter extends OTLPExporterBase<ResourceMetrics> implements PushMetricExporter {
  readonly #address: string;

  constructor(address: string, timeoutMillis: number, transport: GrpcTransport) {
    super(
      createOtlpNetworkExportDelegate(
        { timeoutMillis, concurrencyLimit: 30, compression: 'none' },
        ProtobufMetricsSerializer,
        createExporterMetrics(address, undefined),
        transport,
      ),
    );
    this.#address = address;
  }

  selectAggregationTemporality(): AggregationTemporality {
    return AggregationTemporality.CUMULATIVE;
  }

  /** The meter provider for the exporter's own counters. */
  setSelfObsMeterProvider(provider: MeterProvider): void {
    this.setMetrics(createExporterMetrics(this.#address, provider));
  }
}

function createExporterMetrics(address: string, provider: MeterProvider | undefined) {
  const type = 'otlp_grpc_metric_exporter';
  return createOtlpGrpcExporterMetrics(type, MetricsExporterMetricsHelper, address, provider);
}

/** As in the Collector, the scheme takes precedence over `insecure`. */
function isWithoutTls({ endpoint, insecure }: OtlpConfig): boolean {
  const [scheme] = /^https?:/u.exec(endpoint) ?? [];
  return scheme === undefined ? insecure : scheme === 'http:';
}

function createTlsCredentials(otlp: OtlpConfig, log: Log): ChannelCredentials {
  const files = {
    ca: fileOf('certificate', otlp.certificate),
    cert: fileOf('client_certificate', otlp.client_certificate),
    key: fileOf('client_key', otlp.client_key),
  };
  const context = new TlsContext(files, log);
  return new ChangingCredentials(() => context.current());
}

function fileOf(setting: string, path: string | null): TlsFile {
  return { setting: `own telemetry's ${setting}`, path };
}

type Export = PushMetricExporter['export'];
type Result = Parameters<Parameters<Export>[1]>[0];

/** The destination of pushes. */
export interface PushTarget {
  /** For messages. */
  readonly target: string;
  /** Whether it is without TLS. */
  readonly isPlain: boolean;
}

/**
 * An exporter whose outages are logged by `OutageLog`. The SDK's reader would log each failure at every push:
 * failures are not passed to it.
 */
function reportChanges(
  exporter: PushMetricExporter,
  { target, isPlain }: PushTarget,
  log: Log,
): PushMetricExporter {
  const outage = new OutageLog(log, {
    action: `push own telemetry to ${target}`,
    consequence: 'Trying again',
  });
  const report = ({ code, error }: Result): void => {
    if (code !== ExportResultCode.SUCCESS)
      outage.failed(describeConnectionError(describeError(error), isPlain));
    else if (outage.recovered() !== undefined)
      log.info(`Recovered, pushing own telemetry to ${target} again`);
  };
  const exportReported: Export = (metrics, done) =>
    exporter.export(metrics, (result) => {
      report(result);
      done({ code: ExportResultCode.SUCCESS });
    });
  return {
    export: exportReported,
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => {
      outage.close();
      return exporter.shutdown();
    },
  };
}
