import { credentials, type ChannelCredentials } from '@grpc/grpc-js';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { AggregationTemporality, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import type { Log } from '../component/log.js';
import type { PeriodicConfig } from '../config/service-schema.js';
import { describeReadError, readRegularFile } from '../linux/regular-file.js';
import { createGrpcMetadata } from '../otlp/grpc-metadata.js';
import { maxPemBytes } from '../otlp/tls-files.js';
import { reportChanges } from './report-changes.js';

type OtlpConfig = PeriodicConfig['exporter']['otlp'];

/** Sends the collector's own telemetry now and then. */
export interface Push {
  readonly reader: PeriodicExportingMetricReader;
  readonly exporter: OTLPMetricExporter;
}

const standardTimeoutMs = 30_000;

/**
 * The stock exporter with the SDK's periodic reader.
 * @throws Error naming the certificate or header that cannot be used
 */
export function createPush({ interval, timeout, exporter: { otlp } }: PeriodicConfig, log: Log): Push {
  const exporter = new OTLPMetricExporter({
    url: otlp.endpoint,
    // Given all of these, the exporter takes nothing but headers from OTEL_EXPORTER_OTLP_* variables.
    credentials: createCredentials(otlp),
    metadata: createGrpcMetadata(otlp.headers),
    compression: otlp.compression === 'gzip' ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE,
    timeoutMillis: timeout ?? Math.min(standardTimeoutMs, interval),
    temporalityPreference: AggregationTemporality.CUMULATIVE,
  });
  const reader = new PeriodicExportingMetricReader({
    exporter: reportChanges(exporter, otlp.endpoint, log),
    exportIntervalMillis: interval,
    // The exporter's own timeout comes first, so that failures are told in one way.
    exportTimeoutMillis: interval,
  });
  return { reader, exporter };
}

/** As in the Collector, the scheme goes before `insecure`. */
function createCredentials(otlp: OtlpConfig): ChannelCredentials {
  const [scheme] = /^https?:/u.exec(otlp.endpoint) ?? [];
  if (scheme === 'http:' || (scheme === undefined && otlp.insecure)) return credentials.createInsecure();
  return credentials.createSsl(
    readPem('certificate', otlp.certificate),
    readPem('client_key', otlp.client_key),
    readPem('client_certificate', otlp.client_certificate),
  );
}

function readPem(setting: string, path: string | null): Buffer | null {
  if (path === null) return null;
  try {
    return readRegularFile(path, maxPemBytes);
  } catch (error) {
    const reason = describeReadError(error);
    throw new Error(`Cannot read ${setting} "${path}" of the own telemetry: ${reason}`, { cause: error });
  }
}
