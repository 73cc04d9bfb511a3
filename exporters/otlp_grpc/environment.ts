import { readOtlpEnvironment, replaceSettings } from '../../src/otlp/otlp-settings.js';
import type { Config } from './config.js';
import { findEndpointProblem } from './target.js';

/**
 * The settings with what the OTLP variables say in the place of some.
 * @throws Error naming a variable that cannot be used
 */
export function applyEnvironment(config: Config, env: NodeJS.ProcessEnv): Config {
  const found = readOtlpEnvironment(env);
  const { tls, ...rest } = replaceSettings(config, found);
  return {
    ...rest,
    endpoint:
      checkEndpoint('OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', found.metricsEndpoint) ??
      checkEndpoint('OTEL_EXPORTER_OTLP_ENDPOINT', found.endpoint) ??
      config.endpoint,
    tls: { ...tls, insecure: found.insecure ?? tls.insecure },
  };
}

function checkEndpoint(name: string, text: string | undefined): string | undefined {
  const problem = text === undefined ? undefined : findEndpointProblem(text);
  if (problem !== undefined) throw new Error(`Cannot use ${name}: ${problem}`);
  return text;
}
