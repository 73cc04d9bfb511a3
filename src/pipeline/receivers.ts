import { EventEmitter, once } from 'node:events';
import { freeClaims, type Claims } from '../component/claims.js';
import type { Component, ReceiverContext } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import { describeProbe } from '../component/probe.js';
import type { Schema } from '../component/schema.js';
import type { ComponentConfig } from '../config/components.js';
import type { ServiceConfig } from '../config/service.js';
import { describeError, UnavailableError } from '../errors.js';
import type { Metric } from '../model/series.js';
import { busyTime, meteredEnergyNames } from '../model/shared-metrics.js';
import { SeriesClaims } from './claims.js';
import { FinishLine, readFullest } from './ending.js';
import { contextFor, type Environment, type Graph } from './graph.js';
import { countPassage, countStatus, receiverCounters } from './guard.js';
import { LoopSet } from './loop-set.js';
import { hasParent, NamedParents } from './parents.js';
import type { StatusRecord } from './statuses.js';

type ReceiverConfig = ComponentConfig<'receiver'>;

/** A receiver that has been started. */
export interface RunningReceiver {
  readonly id: string;
  /** For messages. */
  readonly name: string;
  readonly component: Component;
  readonly status: StatusRecord;
  readonly loops: LoopSet;
  /** The ids of the pipelines that it is in. */
  readonly pipelines: readonly string[];
  /** The least and the greatest that its settings may be. */
  readonly schema: Schema;
  /** Whether it reads who used the machine, by which the energy that meters read is attributed. */
  readonly readsUsage: boolean;
  /** Whether it reads the energy that is attributed. */
  readonly readsEnergy: boolean;
}

/**
 * The context of a receiver.
 * @param claims without them, it is as if there were no other receiver
 */
export function receiverContextFor(
  environment: Environment,
  id: string,
  claims: Claims = freeClaims,
): ReceiverContext {
  return { ...contextFor(environment, 'receiver', id), sampling: environment.sampling, claims };
}

/**
 * Starts the receivers that a pipeline names, in the order of the configuration: first those that stand in for
 * none, of these first those that do not yield, then those that stand in for receivers of which none runs.
 * @param graph where a receiver's tables go
 * @returns those that run
 * @throws Error when a required receiver cannot start, or none is left
 */
export async function startReceivers(
  config: ServiceConfig,
  environment: Environment,
  graph: Pick<Graph, 'findEntry' | 'findExporters' | 'isConsumed' | 'claims' | 'statuses'>,
): Promise<readonly RunningReceiver[]> {
  const running = new Map<string, RunningReceiver>();
  const { claims, statuses } = graph;
  const receivers = [...config.receivers.values()].filter(({ id }) => graph.findEntry(id) !== undefined);
  const routed = receivers.map(({ id, factory }) => ({ id, factory, exporters: graph.findExporters(id) }));
  const seriesClaims = new SeriesClaims(routed, (id) => environment.logFor('receiver', id));
  const start = new EventEmitter();
  const shared = {
    finishLine: new FinishLine(() => environment.onFinish?.()),
    othersStarted: once(start, 'end'),
  };
  const statusOf = (id: string) => {
    const named = config.pipelines.filter((pipeline) => pipeline.receivers.includes(id));
    return statuses.open({ kind: 'receiver', id, pipelines: named.map((pipeline) => pipeline.id) });
  };
  const disable = (id: string, reason: string) => {
    statusOf(id).enter('disabled');
    statuses.noteError('receiver', id, reason);
    environment.logFor('receiver', id).info(`Disabled: ${reason}`);
  };
  const startInto = async (receiver: ReceiverConfig) => {
    const { id } = receiver;
    const next = graph.findEntry(id);
    if (next === undefined) return undefined;
    const exporters = graph.findExporters(id);
    const loops = new LoopSet(`receiver "${id}"`);
    const context = {
      loops,
      ...receiverContextFor(environment, id, claims.claimsFor(id)),
      ...lendShared(id, environment, shared),
      readBacklog: () => readFullest(exporters),
      isConsumed: (metric: Metric) => graph.isConsumed(id, metric),
    };
    const status = statusOf(id);
    status.observed = loops;
    const counted = countStatus(countPassage(next, receiverCounters(context.meter, id)), status);
    // What others cannot contain needs not wait for them.
    const named = receiver.factory.metrics.some(hasParent) ? new NamedParents(claims, counted) : counted;
    const component = await startReceiver(receiver, context, seriesClaims.entryFor(id, named));
    const isLeftOut = component instanceof UnavailableError;
    status.enter(isLeftOut ? 'disabled' : 'running');
    if (!isLeftOut) return running.set(id, describeRunning(receiver, component, { status, loops }));
    context.log.info(`Left out: ${component.message}`);
    statuses.noteError('receiver', id, component.message);
    claims.release(id);
    return seriesClaims.release(id);
  };
  try {
    const meters = receivers.filter(({ keys }) => keys.fallback_for.length === 0);
    for (const receiver of meters.toSorted(compareYielding)) await startInto(receiver);
    for (const receiver of receivers.filter(({ keys }) => keys.fallback_for.length > 0)) {
      const meter = receiver.keys.fallback_for.find((id) => isWhole(running.get(id)?.component));
      if (meter === undefined) await startInto(receiver);
      else disable(receiver.id, `fallback for "${meter}", which is running`);
    }
    if (running.size === 0)
      throw new Error('Cannot start: expected a receiver that can run here, found none in any pipeline');
  } catch (error) {
    // The caller does not know of these.
    await Promise.all([...running.values()].map(async ({ component }) => component.shutdown()));
    throw error;
  }
  claims.complete();
  start.emit('end');
  shared.finishLine.expect([...running.keys()]);
  return [...running.values()];
}

function describeRunning(
  { id, factory: { metrics, schema } }: ReceiverConfig,
  component: Component,
  known: Pick<RunningReceiver, 'status' | 'loops'>,
): RunningReceiver {
  const readsUsage = metrics.some(({ name }) => name === busyTime.name);
  const readsEnergy = metrics.some(({ name }) => meteredEnergyNames.has(name));
  const { pipelines } = known.status.read();
  return {
    id,
    name: `receiver "${id}"`,
    component,
    ...known,
    pipelines,
    schema,
    readsUsage,
    readsEnergy,
  };
}

function isWhole(receiver: Component | undefined): boolean {
  return receiver !== undefined && receiver.isPartial !== true;
}

/** What all receivers have together, as one of them sees it. */
function lendShared(
  id: string,
  environment: Environment,
  {
    finishLine,
    othersStarted,
  }: { readonly finishLine: FinishLine; readonly othersStarted: Promise<unknown> },
): Pick<ReceiverContext, 'finish' | 'othersStarted'> {
  const finish = (problem?: string) => {
    if (problem !== undefined) environment.onProblem?.(`${id}: ${problem}`);
    finishLine.cross(id);
  };
  return { finish, othersStarted };
}

const yieldingRanks = { board: 1, model: 2 } as const;

function compareYielding(a: ReceiverConfig, b: ReceiverConfig): number {
  return rankYielding(a) - rankYielding(b);
}

function rankYielding({ factory: { yields } }: ReceiverConfig): number {
  return yields === undefined ? 0 : yieldingRanks[yields];
}

/** @returns why it is left out, if it is */
async function startReceiver(
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
