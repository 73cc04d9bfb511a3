import { findOrAdd } from '../../model/plan.js';
import { quoteAround } from './grammar.js';
import type { EventModifiers } from './modifiers.js';

/** How one PMU counts an event. Plain data. */
export interface EventEncoding {
  readonly type: number;
  readonly config: bigint;
  readonly config1: bigint;
  readonly config2: bigint;
  readonly config3: bigint;
  /** Empty: chosen by the kernel. */
  readonly pmu: string;
  /** The CPUs that count it; undefined: all. */
  readonly cpus: readonly number[] | undefined;
  /**
   * Whether it counts what a CPU runs, and thus can be counted for a process; others count only for the whole
   * machine.
   */
  readonly isTask: boolean;
}

/** UCUM. An event in another unit, or in none, is published as `{event}` without conversion. */
export type EventUnit = '{event}' | 's' | 'J' | 'By';

/** An event that this machine has a code for; whether it can be counted shows when it is opened. Plain data. */
export interface CountedEvent {
  /** Its name for users. */
  readonly name: string;
  /** One per PMU that has the event: a machine with two kinds of cores has two. */
  readonly encodings: readonly EventEncoding[];
  readonly modifiers: EventModifiers;
  readonly unit: EventUnit;
  /** The value of one count in `unit`. */
  readonly scale: number;
  /** Whether the kernel counts it without hardware, and thus never multiplexed. */
  readonly isSoftware: boolean;
  /** Whether it happens only in the kernel: counted in user space only, it is 0. */
  readonly isKernelOnly: boolean;
}

/** Events that should be counted together. */
export interface EventGroup {
  readonly events: readonly CountedEvent[];
  /** Whether they must be counted together or not at all. */
  readonly isExplicit: boolean;
}

/** An event that is not counted. */
export interface UncountedEvent {
  readonly name: string;
  /** A sentence with `event "NAME"` in it. */
  readonly reason: string;
}

/** Beyond this, a line shows only the number of further names. */
const maxNames = 10;

/** Describes why events are not counted, in one line per reason. */
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
