import { findOrAdd } from '../../model/plan.js';
import { quoteAround } from './grammar.js';
import type { EventModifiers } from './modifiers.js';

/** What one PMU is asked to count. Plain data. */
export interface EventEncoding {
  readonly type: number;
  readonly config: bigint;
  readonly config1: bigint;
  readonly config2: bigint;
  readonly config3: bigint;
  /** Empty: the kernel chooses. */
  readonly pmu: string;
  /** The CPUs that count it; undefined: all. */
  readonly cpus: readonly number[] | undefined;
  /** Counts what a CPU runs, and so what a process does; others count for a whole machine only. */
  readonly isTask: boolean;
}

/** UCUM. An event in another unit, or in none, is counted as it is, as `{event}`. */
export type EventUnit = '{event}' | 's' | 'J' | 'By';

/** An event that this machine has a number for; whether it can be counted shows when it is opened. Plain data. */
export interface CountedEvent {
  /** What people call it. */
  readonly name: string;
  /** One per PMU that has it: a machine with two kinds of cores has two. */
  readonly encodings: readonly EventEncoding[];
  readonly modifiers: EventModifiers;
  readonly unit: EventUnit;
  /** What one count is worth in `unit`. */
  readonly scale: number;
  /** Counted by the kernel without hardware, so never in turns with others. */
  readonly isSoftware: boolean;
  /** Happens in the kernel: counted in user space only, it is 0. */
  readonly isKernelOnly: boolean;
}

/** Events that are to be counted together. */
export interface EventGroup {
  readonly events: readonly CountedEvent[];
  /** Together or not at all. */
  readonly isExplicit: boolean;
}

/** An event that is not counted. */
export interface UncountedEvent {
  readonly name: string;
  /** A sentence with `event "NAME"` in it. */
  readonly reason: string;
}

/** Beyond this many names a line says only how many more there are. */
const maxNames = 10;

/** Why events are not counted, in one line for all that have the same reason. */
export function describeUncounted(events: readonly UncountedEvent[]): readonly string[] {
  const names = new Map<string, string[]>();
  for (const { name, reason } of events) {
    const pattern = reason.replace(`event "${name}"`, 'event NAME');
    findOrAdd(names, pattern, () => []).push(name);
  }
  return [...names].map(([pattern, all]) => pattern.replace('event NAME', () => listNames(all)));
}

function listNames(names: readonly string[]): string {
  const shown = names.slice(0, maxNames).map((name) => quoteAround(name, 0));
  const more = names.length - shown.length;
  const list = shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
  return `${names.length > 1 ? 'events' : 'event'} ${list}`;
}
