import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { until } from '../testing/until.js';
import { ProcessStat } from './process-stat.js';

/** Number of open resources of this process by kind: threads, descriptors, sockets, timers, listeners and so on. */
export type OpenResources = ReadonlyMap<string, number>;

/** PF_EXITING in /proc/self/task/<tid>/stat: the thread is ending; include/linux/sched.h. */
const exiting = 0x4;
const stat = new ProcessStat();

/** Counts the open resources of this process. */
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
 * For tests: waits until nothing more is open than before, since closing may take a moment.
 * @throws AssertionError naming the rest
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
  // An unreadable thread has ended between listing and reading.
  return stat.read(`/proc/self/task/${thread}`) && (stat.flags & exiting) === 0;
}
