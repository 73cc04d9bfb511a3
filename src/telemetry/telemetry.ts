import type { Meter } from '@opentelemetry/api';
import type { Log } from '../component/log.js';

/** Where and as whom the collector tells of itself. */
export interface TelemetryRequest {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Whether the user set host or port: then a port in use is an error, otherwise a warning. */
  readonly isExplicit: boolean;
  /** Resource attributes: service.name and the like. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly log: Log;
  /** Joules that this process used since it was started; undefined: nobody can say, or not yet. */
  readJoules?(): number | undefined;
}

/** The collector's own telemetry. */
export interface Telemetry {
  /** Makes the instruments of every component. */
  readonly meter: Meter;
  /** `127.0.0.1:8888`; undefined when the port was taken. */
  readonly address: string | undefined;
  /** Ends the endpoint. Safe to call twice. */
  shutdown(): Promise<void>;
}

/**
 * Serves the collector's own telemetry to Prometheus at `/metrics`. Loads the OpenTelemetry SDK when called, since
 * a short command does without.
 * @throws Error when the address that the user set cannot be had
 */
export async function startTelemetry(request: TelemetryRequest): Promise<Telemetry> {
  const { openTelemetry } = await import('./sdk.js');
  return openTelemetry(request);
}
