import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../component/log.js';
import { stopWithin, type Stoppable } from './ending.js';
import type { Unit } from './graph.js';
import type { RunningReceiver } from './running-receiver.js';
import type { StatusRecord } from './statuses.js';
import type { UnitKind } from './units.js';

/** On the clock of `performance.now()`: what takes longer is left behind. */
type Ends = readonly [firstMs: number, lastMs: number];

/**
 * Stops receivers, meters first: the scan that follows reports who used what their last readings measured.
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
 * Stops units in the reverse order of their start: each processor drains into what is behind it, all into the exporters.
 * @param ends of processors and exporters, and of extensions
 * @param options with what is called for each processor that has stopped, before what is behind it stops
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

/** Stops components side by side: one that does not answer takes no time from the others. */
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

/** Waits for a promise that never rejects, but not longer than a time. */
export async function waitAtMost(promise: Promise<void>, ms: number): Promise<void> {
  const aborter = new AbortController();
  const expired = sleep(ms, undefined, { signal: aborter.signal }).catch(() => {});
  await Promise.race([promise, expired]);
  aborter.abort();
}
