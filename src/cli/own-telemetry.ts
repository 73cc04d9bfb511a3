import { createNoopMeter } from '@opentelemetry/api';
import { randomUUID } from 'node:crypto';
import type { Log } from '../component/log.js';
import { readResourceEnvironment } from '../component/resource-environment.js';
import type { TelemetryConfig } from '../config/service-schema.js';
import { startTelemetry, type PullOptions, type Telemetry } from '../telemetry/telemetry.js';
import { readVersion } from '../version.js';

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
    return { meter: createNoopMeter(), address: undefined, shutdown: () => Promise.resolve() };
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

/** Resource attributes of the own telemetry; what the user set to an empty text is left out. */
function describeSelf(resource: TelemetryConfig['resource'], log: Log): Record<string, string> {
  const environment = readResourceEnvironment(process.env, (message) => log.warn(message));
  const attributes = {
    'service.version': readVersion(),
    'service.instance.id': randomUUID(),
    ...environment,
    ...resource,
  };
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ''));
}
