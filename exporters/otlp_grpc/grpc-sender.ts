import { checkServerIdentity } from 'node:tls';
import { credentials, type ChannelCredentials, type Metadata } from '@grpc/grpc-js';
import { createOtlpNetworkExportDelegate } from '@opentelemetry/otlp-exporter-base';
import { createOtlpGrpcExporterMetrics } from '@opentelemetry/otlp-grpc-exporter-base';
import type { Log } from '../../src/component/log.js';
import type { Sender } from '../../src/export/request-delivery.js';
import { createAuthorization } from '../../src/http/client.js';
import { describeRoute } from '../../src/http/proxy.js';
import { openTlsContext } from '../../src/http/tls-files.js';
import { DelegateClient } from '../../src/otlp/delegate-client.js';
import {
  ChangingCredentials,
  createGrpcMetadata,
  findGrpcProxy,
  GrpcTransport,
} from '../../src/otlp/grpc-transport.js';
import { applyEnvironment, parseTarget, type Config } from './config.js';
import { toExportError } from './retry-codes.js';

/**
 * Opens a sender to a backend, configured only by the settings and, for proxies, HTTPS_PROXY and NO_PROXY.
 * @throws Error naming the file, variable or header that cannot be used
 */
export function openGrpcSender(settings: Config, log: Log): Sender {
  const config = settings.from_environment ? applyEnvironment(settings, process.env) : settings;
  const { address, isInsecure } = parseTarget(config.endpoint, config.tls.insecure);
  const proxy = findGrpcProxy(address, process.env);
  const transport = new GrpcTransport({
    address,
    proxy,
    credentials: isInsecure ? credentials.createInsecure() : createTlsCredentials(config, log),
    metadata: createMetadata(config, log),
    gzipLevel: config.compression === 'gzip' ? config.compression_params.level : undefined,
  });
  const client = createClient(config, transport, { url: address, isInsecure });
  return {
    target: describeRoute(address, proxy),
    send: (request) => client.send(request),
    close: () => client.close(),
  };
}

function createClient(
  config: Config,
  transport: GrpcTransport,
  { url, isInsecure }: { readonly url: string; readonly isInsecure: boolean },
): DelegateClient {
  const options = {
    timeoutMillis: config.timeout,
    concurrencyLimit: 2 * config.sending_queue.num_consumers,
    compression: config.compression,
  };
  return new DelegateClient(
    ({ serializer, metricsHelper }) =>
      createOtlpNetworkExportDelegate(
        options,
        serializer,
        createOtlpGrpcExporterMetrics('otlp_grpc_metric_exporter', metricsHelper, url, undefined),
        transport,
      ),
    (error) => toExportError(error, isInsecure),
  );
}

/** The metadata of the next request: the headers, and the current credentials. */
function createMetadata({ headers, credentials: own }: Config, log: Log): () => Metadata {
  const metadata = createGrpcMetadata(headers);
  const authorization = createAuthorization(own, log);
  return () => {
    const value = authorization();
    if (value === undefined) return metadata;
    const authorized = metadata.clone();
    authorized.set('authorization', value);
    return authorized;
  };
}

function createTlsCredentials({ endpoint, tls }: Config, log: Log): ChannelCredentials {
  const context = openTlsContext(tls, endpoint, log);
  const name = tls.server_name_override;
  return new ChangingCredentials(() => context.current(), {
    rejectUnauthorized: !tls.insecure_skip_verify,
    ...(name === null
      ? {}
      : { checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate) }),
  });
}
