import { parseKeyPairsIntoRecord } from '@opentelemetry/core';
import type { Schema } from '../component/schema.js';
import { sendingSettings } from '../export/sending-settings.js';
import { identitySetting } from './place-identity.js';

/** Settings that both OTLP exporters have, with the Collector's names where it has them. */
export const otlpSettings = {
  ...sendingSettings,
  identity: identitySetting,
  from_environment: {
    doc: 'Whether the environment variables `OTEL_EXPORTER_OTLP_METRICS_*` and `OTEL_EXPORTER_OTLP_*` override settings. Otherwise they are ignored.',
    format: 'boolean',
    default: false,
  },
} as const satisfies Schema;

/** The OTLP variables of OpenTelemetry's specification; undefined where they are not set. */
export interface OtlpEnvironment {
  /** From OTEL_EXPORTER_OTLP_METRICS_ENDPOINT. */
  readonly metricsEndpoint: string | undefined;
  /** From OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly compression: 'gzip' | 'none' | undefined;
  readonly timeoutMs: number | undefined;
  readonly insecure: boolean | undefined;
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

/**
 * Reads the variables; one for metrics takes precedence over the general one.
 * @throws Error naming a variable that is invalid
 */
export function readOtlpEnvironment(env: NodeJS.ProcessEnv): OtlpEnvironment {
  const find = (name: string): Variable | undefined => findVariable(env, name);
  return {
    metricsEndpoint: readText(env, 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT'),
    endpoint: readText(env, 'OTEL_EXPORTER_OTLP_ENDPOINT'),
    headers: readOtlpHeaders(env),
    compression: parseCompression(find('COMPRESSION')),
    timeoutMs: parseTimeout(find('TIMEOUT')),
    insecure: parseBoolean(find('INSECURE')),
    caFile: find('CERTIFICATE')?.text,
    certFile: find('CLIENT_CERTIFICATE')?.text,
    keyFile: find('CLIENT_KEY')?.text,
  };
}

/** The settings of an exporter that these variables can override, except its endpoint. */
interface ReplaceableSettings {
  readonly headers: Readonly<Record<string, string>>;
  readonly compression: 'gzip' | 'zstd' | 'none';
  readonly timeout: number;
  readonly tls: {
    readonly ca_file: string | null;
    readonly cert_file: string | null;
    readonly key_file: string | null;
  };
}

/** The settings, with those that the variables override. */
export function replaceSettings<C extends ReplaceableSettings>(config: C, found: OtlpEnvironment): C {
  return {
    ...config,
    headers: { ...config.headers, ...found.headers },
    compression: found.compression ?? config.compression,
    timeout: found.timeoutMs ?? config.timeout,
    tls: {
      ...config.tls,
      ca_file: found.caFile ?? config.tls.ca_file,
      cert_file: found.certFile ?? config.tls.cert_file,
      key_file: found.keyFile ?? config.tls.key_file,
    },
  };
}

/** The headers from these variables. */
export function readOtlpHeaders(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  return {
    ...parseKeyPairsIntoRecord(env['OTEL_EXPORTER_OTLP_HEADERS']),
    ...parseKeyPairsIntoRecord(env['OTEL_EXPORTER_OTLP_METRICS_HEADERS']),
  };
}

interface Variable {
  readonly name: string;
  readonly text: string;
}

function findVariable(env: NodeJS.ProcessEnv, name: string): Variable | undefined {
  for (const full of [`OTEL_EXPORTER_OTLP_METRICS_${name}`, `OTEL_EXPORTER_OTLP_${name}`]) {
    const text = readText(env, full);
    if (text !== undefined) return { name: full, text };
  }
  return undefined;
}

/** According to the specification, an empty variable counts as unset. */
function readText(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const text = env[name]?.trim();
  return text === '' ? undefined : text;
}

function parseCompression(variable: Variable | undefined): 'gzip' | 'none' | undefined {
  const text = variable?.text.toLowerCase();
  if (text === undefined || text === 'gzip' || text === 'none') return text;
  throw mismatch(variable, 'gzip or none');
}

function parseTimeout(variable: Variable | undefined): number | undefined {
  if (variable === undefined) return undefined;
  const ms = Number(variable.text);
  if (Number.isFinite(ms) && ms > 0) return ms;
  throw mismatch(variable, 'milliseconds above 0');
}

function parseBoolean(variable: Variable | undefined): boolean | undefined {
  const text = variable?.text.toLowerCase();
  if (text === undefined) return undefined;
  if (text === 'true' || text === 'false') return text === 'true';
  throw mismatch(variable, 'true or false');
}

function mismatch(variable: Variable | undefined, wanted: string): Error {
  return new Error(`Cannot use ${variable?.name}: expected ${wanted}, found "${variable?.text}"`);
}
