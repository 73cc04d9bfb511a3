import { createServer } from 'node:http';
import { describeError } from '../../errors.js';
import { listen } from '../../http/listen.js';
import type { Log } from '../../component/log.js';
import type { ComponentConfig } from '../../config/components.js';
import type { ServiceConfig } from '../../config/service.js';
import { findPull } from '../own-telemetry.js';
import type { Check } from './check.js';

/** Checks whether the endpoints on which an agent with this configuration listens are free. */
export function checkPorts(config: ServiceConfig, log: Log): Promise<readonly Check[]> {
  return Promise.all(listEndpoints(config).map(({ endpoint, use }) => checkPort(endpoint, use, log)));
}

interface Use {
  readonly endpoint: string;
  readonly use: string;
}

function listEndpoints({
  exporters,
  extensions,
  pipelines,
  runningExtensions,
  telemetry,
}: ServiceConfig): readonly Use[] {
  const exporterIds = [...new Set(pipelines.flatMap((pipeline) => pipeline.exporters))];
  const pull = findPull(telemetry.metrics);
  return [
    ...exporterIds.flatMap((id) => findUse(exporters.get(id))),
    ...(pull ? [{ endpoint: joinEndpoint(pull), use: "the collector's own telemetry" }] : []),
    ...runningExtensions.flatMap((id) => findUse(extensions.get(id))),
  ];
}

function findUse(component: ComponentConfig<'exporter'> | ComponentConfig<'extension'> | undefined): Use[] {
  const endpoint = component?.factory.listensAt?.(component.settings);
  return component && endpoint !== undefined
    ? [{ endpoint, use: `${component.kind} "${component.id}"` }]
    : [];
}

function joinEndpoint({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Checks whether an endpoint is free, by listening on it. */
export async function checkPort(endpoint: string, use: string, log: Log): Promise<Check> {
  try {
    const listener = await listen(createServer(), endpoint, { log });
    await listener.close();
    return { name: endpoint, state: 'ok', found: `free, for ${use}`, remedies: [] };
  } catch (error) {
    const found = `not available for ${use}; is another agent running? ${describeError(error)}`;
    return { name: endpoint, state: 'note', found, remedies: [] };
  }
}
