import { hideCredentials } from '../../src/config/endpoint.js';
import { readOtlpEnvironment, replaceSettings } from '../../src/otlp/otlp-settings.js';
import type { Config } from './config.js';

/**
 * The settings with what the OTLP variables say in the place of some.
 * @throws Error naming a variable that cannot be used
 */
export function applyEnvironment(config: Config, env: NodeJS.ProcessEnv): Config {
  const found = readOtlpEnvironment(env);
  return {
    ...replaceSettings(config, found),
    endpoint: checkUrl('OTEL_EXPORTER_OTLP_ENDPOINT', found.endpoint) ?? config.endpoint,
    metrics_endpoint:
      checkUrl('OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', found.metricsEndpoint) ?? config.metrics_endpoint,
  };
}

function checkUrl(name: string, text: string | undefined): string | undefined {
  if (text === undefined || /^https?:$/u.test(URL.canParse(text) ? new URL(text).protocol : '')) return text;
  throw new Error(
    `Cannot use ${name}: expected an address that begins with http:// or https://, found "${hideCredentials(text)}"`,
  );
}
