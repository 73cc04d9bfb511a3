import type { ReceiverContext, ReceiverFactory } from '../../component/component.js';
import type { Log } from '../../component/log.js';
import type { Probe } from '../../component/probe.js';
import type { ConfigOf, Schema } from '../../component/schema.js';
import type { ComponentConfig } from '../../config/components.js';
import type { ServiceConfig } from '../../config/service.js';
import { describeError } from '../../errors.js';
import { listen } from '../../http/listen.js';
import { createServer } from '../../http/node-http.js';
import { floorPower, meteredEnergyNames } from '../../model/shared-metrics.js';
import { findPull } from '../../telemetry/telemetry.js';
import type { Check } from './system-checks.js';

/** A receiver with the configuration it would be started with. */
export interface ReceiverSetup {
  readonly id: string;
  readonly factory: ReceiverFactory;
  readonly settings: ConfigOf<Schema>;
  readonly context: ReceiverContext;
}

/** Whether energy can be measured, or only estimated. */
export type EnergySource = 'measured' | 'estimated' | 'none';

/** The result of a receiver's probe. */
export interface ReceiverCheck extends Check {
  /** How it provides the energy of the machine. */
  readonly energy: EnergySource;
}

/** Runs a receiver's probe. */
export async function checkReceiver({
  id,
  factory,
  settings,
  context,
}: ReceiverSetup): Promise<ReceiverCheck> {
  const missing = factory.check?.(settings) ?? [];
  if (missing.length > 0) {
    const found = `not configured: ${missing.join('; ')}`;
    return { name: id, state: 'note', found, remedies: [], energy: 'none' };
  }
  const { available, found, remedies, hasEnergy = true } = await probe(factory, settings, context);
  return {
    name: id,
    state: available ? 'ok' : 'missing',
    found,
    remedies,
    energy: available && hasEnergy ? findEnergySource(factory) : 'none',
  };
}

/** The best source among those that are available. */
export function findBestSource(checks: readonly ReceiverCheck[]): EnergySource {
  const sources: readonly EnergySource[] = ['measured', 'estimated'];
  return sources.find((source) => checks.some(({ energy }) => energy === source)) ?? 'none';
}

async function probe(
  factory: ReceiverFactory,
  settings: ConfigOf<Schema>,
  context: ReceiverContext,
): Promise<Probe> {
  try {
    return await factory.probe(settings, context);
  } catch (error) {
    return { available: false, found: describeError(error), remedies: [] };
  }
}

/** A receiver that publishes idle power takes it from a model, not from a meter. */
function findEnergySource({ metrics }: ReceiverFactory): EnergySource {
  if (!metrics.some(({ name }) => meteredEnergyNames.has(name))) return 'none';
  return metrics.some(({ name }) => name === floorPower.name) ? 'estimated' : 'measured';
}

/** Checks whether the endpoints on which an agent with this configuration listens are free. */
export function checkPorts(config: ServiceConfig, log: Log): Promise<readonly Check[]> {
  return Promise.all(listEndpoints(config).map(({ endpoint, use }) => checkPort(endpoint, use, log)));
}

interface Use {
  readonly endpoint: string;
  readonly use: string;
}

function listEndpoints({
  receivers,
  exporters,
  extensions,
  pipelines,
  runningExtensions,
  telemetry,
}: ServiceConfig): readonly Use[] {
  const receiverIds = [...new Set(pipelines.flatMap((pipeline) => pipeline.receivers))];
  const exporterIds = [...new Set(pipelines.flatMap((pipeline) => pipeline.exporters))];
  const pull = findPull(telemetry.metrics);
  return [
    ...receiverIds.flatMap((id) => findUses(receivers.get(id))),
    ...exporterIds.flatMap((id) => findUses(exporters.get(id))),
    ...(pull ? [{ endpoint: joinEndpoint(pull), use: "the collector's own telemetry" }] : []),
    ...runningExtensions.flatMap((id) => findUses(extensions.get(id))),
  ];
}

function findUses(component: ComponentConfig | undefined): readonly Use[] {
  const endpoints = component?.factory.listensAt?.(component.settings) ?? [];
  return endpoints.map((endpoint) => ({ endpoint, use: `${component?.kind} "${component?.id}"` }));
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
