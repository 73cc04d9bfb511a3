import type { ReceiverContext, ReceiverFactory } from '../../component/component.js';
import { describeError } from '../../errors.js';
import type { Probe } from '../../component/probe.js';
import type { ConfigOf, Schema } from '../../component/schema.js';
import { floorPower, meteredEnergyNames } from '../../model/shared-metrics.js';
import type { Check } from './check.js';

/** A receiver as it would be started. */
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

/** Probes a receiver. */
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
  const { available, found, remedies } = await probe(factory, settings, context);
  return {
    name: id,
    state: available ? 'ok' : 'missing',
    found,
    remedies,
    energy: available ? findEnergySource(factory) : 'none',
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

/** A receiver that publishes the power of an idle machine has it from a model, not from a meter. */
function findEnergySource({ metrics }: ReceiverFactory): EnergySource {
  if (!metrics.some(({ name }) => meteredEnergyNames.has(name))) return 'none';
  return metrics.some(({ name }) => name === floorPower.name) ? 'estimated' : 'measured';
}
