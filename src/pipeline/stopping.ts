import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../component/log.js';
import { stopWithin, type Stoppable } from './ending.js';
import type { Unit } from './graph.js';
import type { RunningReceiver } from './running-receiver.js';
import type { StatusRecord } from './statuses.js';
import type { UnitKind } from './units.js';

/** The agent promises 5 s: the rest is for its own telemetry and for slow machines. */
export const shutdownMs = 4200;

/**
 * The fraction of the time after which a stage is abandoned, so that exporters can deliver what they hold
 * although a receiver hangs.
 */
const stageEnds = { reload: 0.1, meters: 0.35, receivers: 0.5, exporters: 0.95, extensions: 1 };

/** The ends of the stages of a shutdown that begins now, on the clock of `performance.now()`. */
export function planStages(timeoutMs = shutdownMs): Readonly<Record<keyof typeof stageEnds, number>> {
  const beginMs = performance.now();
  const endOf = (stage: keyof typeof stageEnds) => beginMs + stageEnds[stage] * timeoutMs;
  return {
    reload: endOf('reload'),
    meters: endOf('meters'),
    receivers: endOf('receivers'),
    exporters: endOf('exporters'),
    extensions: endOf('extensions'),
  };
}

/** On the clock of `performance.now()`: components that take longer are abandoned. */
type Ends = readonly [firstMs: number, lastMs: number];

/**
 * Stops receivers, meters first: the later scan of usage then covers the time of their last readings.
 * @param ends of the meters, and of the others
 */
export async function stopReceivers(
  receivers: readonly RunningReceiver[],
  [metersEndMs, endMs]: Ends,
  log: Log,
): Promise<void> {
  const meters = receivers.filter(({ readsUsage }) => !readsUsage);
  const usage = receivers.filter(({ readsUsage }) => readsUsage);
  await stopAll(meters, metersEndMs, log);
  await stopAll(usage, endMs, log);
}

/**
 * Stops units in the reverse order of their start: each processor drains into its consumer, all into the
 * exporters.
 * @param ends of processors and exporters, and of extensions
 * @param options with a callback for each stopped processor, called before its consumers stop
 */
export async function stopUnits(
  units: readonly Unit[],
  [consumersEndMs, endMs]: Ends,
  { log, onStopped }: { readonly log: Log; onStopped?(processor: Unit): void },
): Promise<void> {
  const listOf = (wanted: UnitKind) => units.filter(({ kind }) => kind === wanted).toReversed();
  for (const processor of listOf('processor')) {
    await stopAll([processor], consumersEndMs, log);
    onStopped?.(processor);
  }
  await stopAll(listOf('exporter'), consumersEndMs, log);
  for (const extension of listOf('extension')) await stopAll([extension], endMs, log);
}

/** Stops components in parallel: one that does not answer takes no time from the others. */
export async function stopAll(
  all: readonly (Stoppable & { readonly status?: StatusRecord })[],
  deadlineMs: number,
  log: Log,
): Promise<void> {
  const stop = async (one: (typeof all)[number]) => {
    await stopWithin(one, deadlineMs, log);
    one.status?.enter('stopped');
  };
  await Promise.all(all.map(stop));
}

/** Waits for a promise that never rejects, up to a time limit. */
export async function waitAtMost(promise: Promise<void>, ms: number): Promise<void> {
  const aborter = new AbortController();
  const expired = sleep(ms, undefined, { signal: aborter.signal }).catch(() => {});
  await Promise.race([promise, expired]);
  aborter.abort();
}
