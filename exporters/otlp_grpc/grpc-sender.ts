import { checkServerIdentity } from 'node:tls';
import { credentials, type ChannelCredentials } from '@grpc/grpc-js';
import { createOtlpGrpcExportDelegate } from '@opentelemetry/otlp-grpc-exporter-base';
import { readVersion } from '../../src/cli/version.js';
import type { Log } from '../../src/component/log.js';
import { DelegateClient } from '../../src/otlp/delegate-client.js';
import { createGrpcMetadata } from '../../src/otlp/grpc-metadata.js';
import { readTlsFiles } from '../../src/otlp/tls-files.js';
import type { Sender } from '../../src/pipeline/sending-queue.js';
import type { Config } from './config.js';
import { applyEnvironment } from './environment.js';
import { toExportError } from './status.js';
import { parseTarget } from './target.js';

/**
 * Opens the way to a backend: the official gRPC transport, configured by the settings alone.
 * @throws Error naming the file, variable or header that cannot be used
 */
export function openGrpcSender(settings: Config, log: Log): Sender {
  const config = settings.from_environment ? applyEnvironment(settings, process.env) : settings;
  const { address, isInsecure } = parseTarget(config.endpoint, config.tls.insecure);
  const channelCredentials = isInsecure ? credentials.createInsecure() : createTlsCredentials(config, log);
  const client = createClient(address, config, channelCredentials);
  return { target: address, send: (request) => client.send(request), close: () => client.close() };
}

function createClient(url: string, config: Config, channelCredentials: ChannelCredentials): DelegateClient {
  const metadata = createGrpcMetadata(config.headers);
  // Given all its options at once, and not through convertLegacyOtlpGrpcOptions, the transport reads no
  // OTEL_EXPORTER_OTLP_* variable.
  const options = {
    url,
    metadata: () => metadata,
    credentials: () => channelCredentials,
    compression: config.compression,
    timeoutMillis: config.timeout,
    concurrencyLimit: 2 * config.sending_queue.num_consumers,
    userAgent: `joulemetry/${readVersion()}`,
  };
  return new DelegateClient(
    ({ serializer, metricsHelper }) =>
      createOtlpGrpcExportDelegate(
        options,
        serializer,
        'otlp_grpc_metric_exporter',
        metricsHelper,
        undefined,
        'MetricsExportService',
        '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
      ),
    toExportError,
  );
}

function createTlsCredentials({ endpoint, tls }: Config, log: Log): ChannelCredentials {
  if (tls.insecure_skip_verify) {
    log.warn(`Anybody can pretend to be ${endpoint}: tls.insecure_skip_verify accepts every certificate`);
  }
  const { ca, cert, key } = readTlsFiles(tls);
  const name = tls.server_name_override;
  return credentials.createSsl(ca ?? null, key ?? null, cert ?? null, {
    rejectUnauthorized: !tls.insecure_skip_verify,
    ...(name === null
      ? {}
      : { checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate) }),
  });
}
