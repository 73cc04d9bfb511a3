import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { hideCredentials } from '../../src/config/endpoint.js';
import { httpExporterSettings } from '../../src/export/sending-settings.js';
import { otlpSettings, readOtlpEnvironment, replaceSettings } from '../../src/otlp/otlp-settings.js';

export const schema = {
  endpoint: {
    doc: 'Address of the backend, to which `/v1/metrics` is appended.',
    format: 'url',
    default: 'http://localhost:4318',
  },
  metrics_endpoint: {
    doc: 'Full URL to which metrics are sent, instead of `endpoint`.',
    format: 'url',
    default: null,
  },
  ...otlpSettings,
  ...httpExporterSettings,
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

/**
 * The settings, with those replaced that OTLP variables set.
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
