import { readFileSync } from 'node:fs';
import type { Meter } from '@opentelemetry/api';
import type { Log } from '../component/log.js';
import { readResourceEnvironment } from '../component/resource-environment.js';
import type { PeriodicConfig, TelemetryConfig } from '../config/service-schema.js';
import { ATTR_SERVICE_INSTANCE_ID } from '../model/semantic-conventions.js';
import { readVersion } from '../version.js';

/** How much the collector reports of itself, as in the OpenTelemetry Collector; `none` starts nothing at all. */
export type TelemetryLevel = 'basic' | 'normal' | 'detailed';

/** Where the collector's own telemetry is served to Prometheus. */
export interface PullOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Whether the user set host or port: then a port in use is an error, otherwise a warning. */
  readonly isExplicit: boolean;
  /** A file with TLS and users, as every server takes it. */
  readonly webConfigFile?: string | null;
}

/** Where, how much and as whom the collector reports of itself. */
export interface TelemetryRequest {
  readonly level: TelemetryLevel;
  /** Undefined: nothing is served. */
  readonly pull: PullOptions | undefined;
  /** Where it is sent. */
  readonly pushes: readonly PeriodicConfig[];
  /** Resource attributes: service.name and the like. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly log: Log;
  /** Joules that this process used since it was started; undefined: unknown, or not yet known. */
  readJoules?(): number | undefined;
}

/** The collector's own telemetry. */
export interface Telemetry {
  /** Makes the instruments of every component. */
  readonly meter: Meter;
  /** `127.0.0.1:8888`; undefined when nothing is served, or the port was taken. */
  readonly address: string | undefined;
  /**
   * Serves elsewhere from now on; undefined: nowhere.
   * @throws Error when that address cannot be had: then all stays as it is
   */
  move(pull: PullOptions | undefined): Promise<void>;
  /** Pushes a last time, for at most a second, and ends the endpoint. Safe to call twice. */
  shutdown(): Promise<void>;
}

/**
 * Serves the collector's own telemetry to Prometheus at `/metrics` and pushes it by OTLP, as asked for. Loads the
 * OpenTelemetry SDK when called, since a short command does without.
 * @throws Error when the address that the user set cannot be had, or a certificate cannot be read
 */
export async function startTelemetry(request: TelemetryRequest): Promise<Telemetry> {
  const { openTelemetry } = await import('./sdk.js');
  return openTelemetry(request);
}

const nothing = () => Promise.resolve();

const instrument = { add() {}, record() {}, addCallback() {}, removeCallback() {} };
const create = () => instrument;

/** Instruments that do nothing. The API's own would cost tens of milliseconds to load. */
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

/** Where the collector's own telemetry is served unless the user says otherwise. */
const standard = { host: 'localhost', port: 8888 };

/**
 * Starts the collector's own telemetry as configured.
 * @param readJoules energy that this process used, as far as it is known
 * @throws Error when an address that the user set cannot be had
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

/** Where the own telemetry is served, if it is. Without any reader there is the standard endpoint, as in the Collector. */
export function findPull({ level, readers }: TelemetryConfig['metrics']): PullOptions | undefined {
  if (level === 'none') return undefined;
  if (readers.length === 0) return { ...standard, isExplicit: false };
  const pull = readers.find((reader) => reader.pull !== null)?.pull;
  if (!pull) return undefined;
  const { host, port, web_config_file: webConfigFile } = pull.exporter.prometheus;
  return { host, port, isExplicit: true, webConfigFile };
}

/** A random UUID of the kernel: Node's would load OpenSSL, which takes 5 ms of every start. */
function createInstanceId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/uuid', 'latin1').trim();
  } catch {
    return crypto.randomUUID();
  }
}

/** Resource attributes of the own telemetry; what the user set to an empty text is left out. */
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
