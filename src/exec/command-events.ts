import { describeError, UsageError } from '../errors.js';
import { describeUncounted, type EventUnit } from '../linux/perf/counted-event.js';
import { parseEvents, type ParsedGroup } from '../linux/perf/grammar.js';
import type { RatioKind } from '../linux/perf/ratios.js';
import { resolveEvents, type ResolvedEvents } from '../linux/perf/resolve.js';
import { CommandCounters } from './command-counters.js';

/** What an event said of a command and everything that it started. */
export interface EventCount {
  readonly name: string;
  readonly unit: EventUnit;
  /** In `unit`; undefined where it was not counted. */
  readonly value: number | undefined;
  /** Share of the time in which it was really counted; for the rest `value` is an estimate. */
  readonly runningRatio: number | undefined;
  /** Why there is no value, or what it leaves out. */
  readonly note: string | undefined;
}

/** A quotient of two counts. */
export interface CountRatio {
  readonly kind: RatioKind;
  /** Of the numerator and of the denominator. */
  readonly name: string;
  readonly of: string;
  readonly value: number;
}

/** What was counted of a command. */
export interface CommandCounts {
  /** In the order in which they were asked for. */
  readonly events: readonly EventCount[];
  readonly ratios: readonly CountRatio[];
}

/** The events that were asked for, as this machine knows them. */
export class CommandEvents {
  readonly #resolved: ResolvedEvents;

  /**
   * @param lists as written behind each `-e`
   * @throws UsageError when they cannot be understood, or this machine does not know one of them
   */
  constructor(lists: readonly string[]) {
    this.#resolved = resolveEvents(dropRepeats(lists.flatMap(parseList)), { sysfs: '/sys' });
    const { unknown } = this.#resolved;
    // As perf: a count that was asked for and is missing shows only after the command has run for hours.
    if (unknown.length > 0) throw new UsageError(describeUncounted(unknown));
  }

  /** Counts from the next `execve` of a stopped process on, with everything that it starts. */
  open(pid: number): CommandCounters {
    return new CommandCounters(pid, this.#resolved);
  }
}

/** An event that is listed twice is counted once. A group stays as it was asked for. */
function dropRepeats(groups: readonly ParsedGroup[]): readonly ParsedGroup[] {
  const seen = new Set<string>();
  return groups.flatMap((group) => {
    if (group.isExplicit) return [group];
    const events = group.events.filter(({ text }) => !seen.has(text) && seen.add(text));
    return events.length === 0 ? [] : [{ ...group, events }];
  });
}

function parseList(text: string): ReturnType<typeof parseEvents> {
  try {
    return parseEvents(text);
  } catch (cause) {
    throw new UsageError(describeError(cause), { cause });
  }
}
