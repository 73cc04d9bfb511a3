import { freeClaims, type Claims } from '../component/claims.js';
import type { Component, ReceiverContext } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import { describeProbe } from '../component/probe.js';
import type { Schema } from '../component/schema.js';
import type { ComponentConfig } from '../config/components.js';
import type { ServiceConfig } from '../config/service.js';
import { describeError, UnavailableError } from '../errors.js';
import { meteredEnergyNames } from '../model/shared-metrics.js';
import { busyTime } from '../model/usage-metrics.js';
import { contextFor, type Environment } from './graph.js';
import type { LoopSet } from './loop-set.js';
import type { StatusRecord } from './statuses.js';

export type ReceiverConfig = ComponentConfig<'receiver'>;

/** A running receiver. */
export interface RunningReceiver {
  readonly id: string;
  /** For messages. */
  readonly name: string;
  readonly component: Component;
  readonly status: StatusRecord;
  readonly loops: LoopSet;
  /** Ends its series for everything downstream. */
  endSeries(): void;
  /** Minimum and maximum of its settings. */
  readonly schema: Schema;
  /** Whether it reads usage, by which energy is attributed. */
  readonly readsUsage: boolean;
  /** Whether it reads the energy that is attributed. */
  readonly readsEnergy: boolean;
}

/**
 * The context of a receiver.
 * @param claims without them, the receiver is treated as the only one
 */
export function receiverContextFor(
  environment: Environment,
  id: string,
  claims: Claims = freeClaims,
): ReceiverContext {
  return { ...contextFor(environment, 'receiver', id), sampling: environment.sampling, claims };
}

/** The receivers that a pipeline names. */
export function listNamed({ receivers, pipelines }: ServiceConfig): readonly ReceiverConfig[] {
  const named = new Set(pipelines.flatMap((pipeline) => pipeline.receivers));
  return [...receivers.values()].filter(({ id }) => named.has(id));
}

/** The ids of the pipelines that a receiver is in. */
export function listPipelines({ pipelines }: ServiceConfig, id: string): readonly string[] {
  return pipelines.filter(({ receivers }) => receivers.includes(id)).map((pipeline) => pipeline.id);
}

/** Describes a receiver after its start. */
export function describeRunning(
  { id, factory: { metrics, schema } }: ReceiverConfig,
  component: Component,
  known: Pick<RunningReceiver, 'status' | 'loops' | 'endSeries'>,
): RunningReceiver {
  const readsUsage = metrics.some(({ name }) => name === busyTime.name);
  const readsEnergy = metrics.some(({ name }) => meteredEnergyNames.has(name));
  return {
    id,
    name: `receiver "${id}"`,
    component,
    ...known,
    schema,
    readsUsage,
    readsEnergy,
  };
}

/** Whether no operator has stopped it. */
export function isActive({ status }: Pick<RunningReceiver, 'status'>): boolean {
  return status.state !== 'stopped';
}

/** Whether a receiver reads its main source. */
export function isWhole(receiver: Component | undefined): boolean {
  return receiver !== undefined && receiver.isPartial !== true;
}

const yieldingRanks = { board: 1, intermittent: 2, model: 3 } as const;
const fallbackRank = 4;

/** Compares start order: receivers that yield come after the others, fallbacks last. */
export function compareRank(a: ReceiverConfig, b: ReceiverConfig): number {
  return rankReceiver(a) - rankReceiver(b);
}

export function rankReceiver(receiver: ReceiverConfig): number {
  return receiver.keys.fallback_for.length > 0 ? fallbackRank : rankYielding(receiver);
}

function rankYielding({ factory: { yields } }: ReceiverConfig): number {
  return yields === undefined ? 0 : yieldingRanks[yields];
}

/** Starts the sampling thread if a receiver will use it, in parallel with other work. */
export async function beginSampling(config: ServiceConfig, environment: Environment): Promise<void> {
  for (const { id, factory, settings } of listNamed(config).filter((one) => one.factory.samples)) {
    try {
      const probe = await factory.probe(settings, receiverContextFor(environment, id));
      if (probe.available) environment.sampling.prepare?.();
    } catch {
      // The start of the receiver will report the problem.
    }
  }
}

/** @returns the reason why it is disabled, if it is */
export async function startReceiver(
  { id, factory, settings, keys }: ReceiverConfig,
  context: ReceiverContext,
  next: Consumer,
): Promise<Component | UnavailableError> {
  const isOptional = keys.start === 'auto';
  let component: Component | undefined;
  try {
    const probe = await factory.probe(settings, context);
    if (!probe.available) throw new UnavailableError(describeProbe(probe));
    component = factory.create(settings, context, next);
    await component.start();
    return component;
  } catch (error) {
    // It may have opened something before it failed.
    await component?.shutdown();
    if (!isOptional || !(error instanceof UnavailableError)) {
      throw new Error(`Cannot start receiver "${id}": ${describeError(error)}`, { cause: error });
    }
    return error;
  }
}
