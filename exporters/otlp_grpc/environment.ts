import { readOtlpEnvironment } from '../../src/otlp/environment.js';
import type { Config } from './config.js';
import { findEndpointProblem } from './target.js';

/**
 * The settings with what the OTLP variables say in the place of some.
 * @throws Error naming a variable that cannot be used
 */
export function applyEnvironment(config: Config, env: NodeJS.ProcessEnv): Config {
  const found = readOtlpEnvironment(env);
  const endpoint = found.metricsEndpoint ?? found.endpoint ?? config.endpoint;
  const problem = findEndpointProblem(endpoint);
  if (problem !== undefined) throw new Error(`Cannot use OTEL_EXPORTER_OTLP_ENDPOINT: ${problem}`);
  return {
    ...config,
    endpoint,
    headers: { ...config.headers, ...found.headers },
    compression: found.compression ?? config.compression,
    timeout: found.timeoutMs ?? config.timeout,
    tls: {
      ...config.tls,
      insecure: found.insecure ?? config.tls.insecure,
      ca_file: found.caFile ?? config.tls.ca_file,
      cert_file: found.certFile ?? config.tls.cert_file,
      key_file: found.keyFile ?? config.tls.key_file,
    },
  };
}
