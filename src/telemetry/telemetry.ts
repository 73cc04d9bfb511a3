import type { Meter } from '@opentelemetry/api';
import type { Log } from '../component/log.js';
import type { PeriodicConfig } from '../config/service-schema.js';

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
