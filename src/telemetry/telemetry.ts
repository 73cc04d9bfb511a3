import { readFileSync } from 'node:fs';
import type { Meter } from '@opentelemetry/api';
import type { Log } from '../component/log.js';
import { readResourceEnvironment } from '../component/resource-environment.js';
import type { PeriodicConfig, TelemetryConfig } from '../config/service-schema.js';
import { ATTR_SERVICE_INSTANCE_ID } from '../model/semantic-conventions.js';
import { readVersion } from '../version.js';

/** How much the collector reports about itself, as in the OpenTelemetry Collector; `none` starts nothing at all. */
export type TelemetryLevel = 'basic' | 'normal' | 'detailed';

/** The address at which the collector's own telemetry is served to Prometheus. */
export interface PullOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Whether the user set host or port: then a port in use is an error, otherwise a warning. */
  readonly isExplicit: boolean;
  /** A file with TLS settings and users, as for every server. */
  readonly webConfigFile?: string | null;
}

/** The destinations, level and identity of the collector's own telemetry. */
export interface TelemetryRequest {
  readonly level: TelemetryLevel;
  /** Undefined: nothing is served. */
  readonly pull: PullOptions | undefined;
  /** Where it is pushed. */
  readonly pushes: readonly PeriodicConfig[];
  /** Resource attributes: service.name and others. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly log: Log;
  /** Joules that this process used since it was started; undefined: unknown, or not yet known. */
  readJoules?(): number | undefined;
}

/** The collector's own telemetry. */
export interface Telemetry {
  /** Creates the instruments of every component. */
  readonly meter: Meter;
  /** `127.0.0.1:8888`; undefined when nothing is served, or the port was in use. */
  readonly address: string | undefined;
  /**
   * Serves at another address from now on; undefined: stops serving.
   * @throws Error when that address is not available: then nothing changes
   */
  move(pull: PullOptions | undefined): Promise<void>;
  /** Pushes a last time, for at most a second, and closes the endpoint. Safe to call twice. */
  shutdown(): Promise<void>;
}

/**
 * Serves the collector's own telemetry to Prometheus at `/metrics` and pushes it over OTLP, as requested. Loads
 * the OpenTelemetry SDK when called, since short commands do not need it.
 * @throws Error when the address that the user set is not available, or a certificate cannot be read
 */
export async function startTelemetry(request: TelemetryRequest): Promise<Telemetry> {
  const { openTelemetry } = await import('./sdk.js');
  return openTelemetry(request);
}

const nothing = () => Promise.resolve();

const instrument = { add() {}, record() {}, addCallback() {}, removeCallback() {} };
const create = () => instrument;

/** Instruments that do nothing. Those of the API would take tens of milliseconds to load. */
export const silentMeter: Meter = {
  createCounter: create,
  createUpDownCounter: create,
  createHistogram: create,
  createGauge: create,
  createObservableCounter: create,
  createObservableGauge: create,
  createObservableUpDownCounter: create,
  addBatchObservableCallback() {},
  removeBatchObservableCallback() {},
};

/** The default address of the collector's own telemetry. */
const standard = { host: 'localhost', port: 8888 };

/**
 * Starts the collector's own telemetry as configured.
 * @param readJoules energy that this process has used, as far as known
 * @throws Error when an address that the user set is not available
 */
export async function startOwnTelemetry(
  { metrics, resource }: TelemetryConfig,
  log: Log,
  readJoules: () => number | undefined,
): Promise<Telemetry> {
  if (metrics.level === 'none') {
    return { meter: silentMeter, address: undefined, move: nothing, shutdown: nothing };
  }
  return startTelemetry({
    level: metrics.level,
    pull: findPull(metrics),
    pushes: metrics.readers.flatMap(({ periodic }) => periodic ?? []),
    attributes: describeSelf(resource, log),
    log,
    readJoules,
  });
}

/**
 * Where the own telemetry is served; undefined: nowhere. Without any reader it is the default endpoint, as in
 * the Collector.
 */
export function findPull({ level, readers }: TelemetryConfig['metrics']): PullOptions | undefined {
  if (level === 'none') return undefined;
  if (readers.length === 0) return { ...standard, isExplicit: false };
  const pull = readers.find((reader) => reader.pull !== null)?.pull;
  if (!pull) return undefined;
  const { host, port, web_config_file: webConfigFile } = pull.exporter.prometheus;
  return { host, port, isExplicit: true, webConfigFile };
}

/** A random UUID from the kernel: Node's function would load OpenSSL, which adds 5 ms to every start. */
function createInstanceId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/uuid', 'latin1').trim();
  } catch {
    return crypto.randomUUID();
  }
}

/** Resource attributes of the own telemetry; those that the user set to an empty string are left out. */
function describeSelf(resource: TelemetryConfig['resource'], log: Log): Record<string, string> {
  const environment = readResourceEnvironment(process.env, (message) => log.warn(message));
  const attributes = {
    'service.version': readVersion(),
    [ATTR_SERVICE_INSTANCE_ID]: createInstanceId(),
    ...environment,
    ...resource,
  };
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ''));
}
