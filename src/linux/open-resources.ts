import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { until } from '../testing/until.js';
import { ProcessStat } from './process-stat.js';

/** How many of each kind this process has open: threads, descriptors, sockets, timers, listeners and so on. */
export type OpenResources = ReadonlyMap<string, number>;

/** Of the flags in /proc/self/task/<tid>/stat: the thread has ended, but is not gone yet; include/linux/sched.h. */
const exiting = 0x4;
const stat = new ProcessStat();

/** Counts what this process has open now. */
export function countOpen(): OpenResources {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const event of process.eventNames()) {
    counts.set(`listener of ${String(event)}`, process.listenerCount(event));
  }
  return counts.set('thread', countThreads()).set('descriptor', readdirSync('/proc/self/fd').length);
}

/** Threads of this process that have not ended. */
export function countThreads(): number {
  return readdirSync('/proc/self/task').filter(isRunning).length;
}

/**
 * For tests: waits until no more is open than before, since what was closed may be gone only a moment later.
 * @throws AssertionError naming what is left
 */
export async function expectNothingLeft(before: OpenResources): Promise<void> {
  await until(() => listSurplus(before).length === 0).catch(() => undefined);
  assert.deepEqual(listSurplus(before), []);
}

function listSurplus(before: OpenResources): string[] {
  return [...countOpen()]
    .filter(([name, count]) => count > (before.get(name) ?? 0))
    .map(([name, count]) => `${name}: ${count}, before ${before.get(name) ?? 0}`);
}

function isRunning(thread: string): boolean {
  // What cannot be read ended between the two looks.
  return stat.read(`/proc/self/task/${thread}`) && (stat.flags & exiting) === 0;
}
