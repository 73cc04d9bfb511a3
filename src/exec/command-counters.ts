import { describeError, UsageError } from '../errors.js';
import { describeUncounted, type CountedEvent, type EventUnit } from '../linux/perf/counted-event.js';
import { CounterGroup } from '../linux/perf/counter-group.js';
import { PerfEventError } from '../linux/perf/event.js';
import { parseEvents, type ParsedGroup } from '../linux/perf/grammar.js';
import { fitGroups } from '../linux/perf/groups.js';
import { adaptToRights, createProbe, openGroup, type CountingPlace } from '../linux/perf/place.js';
import { findRatios, type RatioKind } from '../linux/perf/ratios.js';
import { resolveEvents, type ResolvedEvents } from '../linux/perf/resolve.js';

/** The count of an event for a command and all its descendants. */
export interface EventCount {
  readonly name: string;
  readonly unit: EventUnit;
  /** In `unit`; undefined if it was not counted. */
  readonly value: number | undefined;
  /** Fraction of the time in which it was counted; for the rest `value` is extrapolated. */
  readonly runningRatio: number | undefined;
  /** Why there is no value, or what it does not include. */
  readonly note: string | undefined;
}

/** A ratio of two counts. */
export interface CountRatio {
  readonly kind: RatioKind;
  /** Names of numerator and denominator. */
  readonly name: string;
  readonly of: string;
  readonly value: number;
}

/** The counts of a command. */
export interface CommandCounts {
  /** In the requested order. */
  readonly events: readonly EventCount[];
  readonly ratios: readonly CountRatio[];
}

/** The requested events, resolved on this machine. */
export class CommandEvents {
  readonly #resolved: ResolvedEvents;

  /**
   * @param lists the values of each `-e`
   * @throws UsageError if they are invalid, or this machine does not know one of them
   */
  constructor(lists: readonly string[]) {
    this.#resolved = resolveEvents(dropRepeats(lists.flatMap(parseList)), { sysfs: '/sys' });
    const { unknown } = this.#resolved;
    // Unlike perf, refuses early: otherwise a missing count shows only after the command has run for hours.
    if (unknown.length > 0) throw new UsageError(describeUncounted(unknown));
  }

  /** Counts a stopped process and its descendants from its next `execve` on. */
  open(pid: number): CommandCounters {
    return new CommandCounters(pid, this.#resolved);
  }
}

/** A repeated event is counted once. Explicit groups are unchanged. */
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

/** Where an event is counted: one group per PMU, and its index there. */
interface OpenEvent {
  readonly event: CountedEvent;
  readonly parts: { readonly group: CounterGroup; readonly index: number }[];
}

/** Counts the events of a command and its descendants. Must be finished. */
export class CommandCounters {
  readonly #order: readonly string[];
  readonly #counts = new Map<string, EventCount>();
  readonly #open: OpenEvent[] = [];
  readonly #groups: CounterGroup[] = [];
  readonly #userOnly: ReadonlySet<string>;
  #finished: CommandCounts | undefined;

  /** @param pid of the stopped process */
  constructor(pid: number, { groups }: Pick<ResolvedEvents, 'groups'>) {
    const place = { pid, cpu: -1, inherit: true, enableOnExec: true };
    const probe = createProbe({ pid, cpu: -1, inherit: true });
    const rightful = adaptToRights(groups, probe);
    this.#userOnly = new Set(rightful.userOnly);
    const fit = fitGroups(rightful.groups, probe);
    this.#order = groups.flatMap(({ events }) => events.map(({ name }) => name));
    for (const { event, reason } of fit.refused) {
      this.#refuse(event.name, event.unit, reason.replace(` of process ${pid}`, ''));
    }
    for (const { events } of fit.groups) this.#openGroup(events, place);
  }

  /** Reads the counts, after the command has ended. */
  finish(): CommandCounts {
    this.#finished ??= this.#count();
    return this.#finished;
  }

  /** The reason already contains the name. */
  #refuse(name: string, unit: EventCount['unit'], reason: string): void {
    const start = `Cannot open perf event "${name}": `;
    const note = reason.startsWith(start) ? reason.slice(start.length) : reason;
    this.#counts.set(name, { name, unit, value: undefined, runningRatio: undefined, note });
  }

  #openGroup(events: readonly CountedEvent[], place: CountingPlace): void {
    const opened = events.map((event): OpenEvent => ({ event, parts: [] }));
    const parts = Math.max(...events.map(({ encodings }) => encodings.length));
    for (let part = 0; part < parts; part++) {
      const own = opened.filter(({ event }) => part < event.encodings.length);
      const group = tryGroup(own, part, place);
      if (group === undefined) continue;
      this.#groups.push(group);
      own.forEach(({ parts: known }, index) => known.push({ group, index }));
    }
    this.#open.push(...opened);
  }

  #count(): CommandCounts {
    const read = new Set(this.#groups.filter((group) => group.read()));
    for (const { event, parts } of this.#open) {
      const readable = parts.filter(({ group }) => read.has(group));
      this.#counts.set(event.name, this.#sum(event, readable));
    }
    for (const group of this.#groups) group.close();
    const events = this.#order.flatMap((name) => this.#counts.get(name) ?? []);
    return { events, ratios: this.#divide() };
  }

  /**
   * A command runs on either kind of cores: together their PMUs have counted all the time.
   * @param parts those that could be read: a pinned event without a counter could not
   */
  #sum({ name, unit, scale }: CountedEvent, parts: OpenEvent['parts']): EventCount {
    const value = parts.reduce((sum, { group, index }) => sum + group.countOf(index), 0);
    const enabledNs = Math.max(0, ...parts.map(({ group }) => group.enabledNs));
    const runningNs = parts.reduce((sum, { group }) => sum + group.runningNs, 0);
    if (parts.length === 0 || (runningNs === 0 && enabledNs > 0)) {
      const note = 'the command ended before it was counted, or another program uses the counter';
      return { name, unit, value: undefined, runningRatio: 0, note };
    }
    const isWhole = runningNs >= enabledNs;
    return {
      name,
      unit,
      value: (isWhole ? value : Math.round((value * enabledNs) / runningNs)) * scale,
      runningRatio: isWhole ? 1 : runningNs / enabledNs,
      note: this.#userOnly.has(name) ? 'in user space only' : undefined,
    };
  }

  #divide(): readonly CountRatio[] {
    return findRatios(this.#open.map(({ event }) => event)).flatMap(({ kind, numerator, denominator }) => {
      const [above, below] = [numerator, denominator].map(({ name }) => this.#counts.get(name)?.value);
      if (above === undefined || below === undefined || below === 0) return [];
      return [{ kind, name: numerator.name, of: denominator.name, value: above / below }];
    });
  }
}

/** What one PMU cannot count is left out of the sum. */
function tryGroup(own: readonly OpenEvent[], part: number, place: CountingPlace): CounterGroup | undefined {
  const events = own.map(({ event }) => event);
  try {
    return new CounterGroup(openGroup(events, part, place));
  } catch (error) {
    if (error instanceof PerfEventError) return undefined;
    throw error;
  }
}
