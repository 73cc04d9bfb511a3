import { createNoopMeter } from '@opentelemetry/api';
import { randomUUID } from 'node:crypto';
import type { Log } from '../component/log.js';
import type { TelemetryConfig } from '../config/service-schema.js';
import { startTelemetry, type Telemetry } from '../telemetry/telemetry.js';
import { readVersion } from './version.js';

/** Where the collector's own telemetry is served unless the user says otherwise. */
const standard = { host: 'localhost', port: 8888 };

/**
 * Starts the collector's own telemetry as configured.
 * @param readJoules energy that this process used, as far as anybody can say
 * @throws Error when an address that the user set cannot be had
 */
export async function startOwnTelemetry(
  { metrics, resource }: TelemetryConfig,
  log: Log,
  readJoules: () => number | undefined,
): Promise<Telemetry> {
  if (metrics.level === 'none') {
    return { meter: createNoopMeter(), address: undefined, shutdown: () => Promise.resolve() };
  }
  const [reader] = metrics.readers;
  const { host, port } = reader?.pull.exporter.prometheus ?? standard;
  const attributes = {
    'service.name': 'joulemetry',
    'service.version': readVersion(),
    'service.instance.id': randomUUID(),
    ...resource,
  };
  return startTelemetry({ host, port, isExplicit: reader !== undefined, attributes, log, readJoules });
}
