import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { hideCredentials, parseEndpoint } from '../../src/config/endpoint.js';
import { tlsSettings } from '../../src/http/tls-files.js';
import { otlpSettings, readOtlpEnvironment, replaceSettings } from '../../src/otlp/otlp-settings.js';

export const schema = {
  endpoint: {
    doc: 'Address of the backend, `host:port`. The prefix `http://` means without TLS; `https://` means with TLS, whatever `tls.insecure` is.',
    format: 'target',
    default: 'localhost:4317',
  },
  timeout: {
    doc: 'Maximum time to wait for the answer to a request.',
    format: 'duration',
    default: '5s',
    min: 1,
  },
  tls: {
    insecure: {
      doc: 'Whether to connect without TLS.',
      format: 'boolean',
      default: false,
    },
    ...tlsSettings,
  },
  ...otlpSettings,
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

/** Where requests go. */
export interface Target {
  /** In the syntax of grpc-js. */
  readonly address: string;
  readonly isInsecure: boolean;
}

/**
 * Parses an endpoint by the Collector's rules: its scheme has precedence over `insecure`.
 * @throws Error when it is invalid
 */
export function parseTarget(endpoint: string, insecure: boolean): Target {
  const [, scheme, rest = ''] = /^(?:(https?):\/\/)?(.*?)\/?$/u.exec(endpoint) ?? [];
  const isInsecure = scheme === undefined ? insecure : scheme === 'http';
  // grpc-js has schemes of its own: several addresses behind one name, local sockets.
  if (/^(?:dns|unix|ipv4|ipv6):/u.test(rest)) return { address: rest, isInsecure };
  if (parseEndpoint(rest).host === '') {
    throw new Error(
      `Cannot parse endpoint "${hideCredentials(endpoint)}": expected a host before the port, found none`,
    );
  }
  return { address: rest, isInsecure };
}

/** Describes why this is not a valid endpoint; undefined when it is one. */
export function findEndpointProblem(endpoint: string): string | undefined {
  try {
    parseTarget(endpoint, false);
    return undefined;
  } catch {
    return `expected host:port such as "localhost:4317", found "${hideCredentials(endpoint)}"`;
  }
}

/**
 * The settings, with those replaced that OTLP variables set.
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
