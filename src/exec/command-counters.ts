import { describeError, UsageError } from '../errors.js';
import { describeUncounted, type CountedEvent, type EventUnit } from '../linux/perf/counted-event.js';
import { CounterGroup } from '../linux/perf/counter-group.js';
import { PerfEventError } from '../linux/perf/event.js';
import { parseEvents, type ParsedGroup } from '../linux/perf/grammar.js';
import { fitGroups } from '../linux/perf/groups.js';
import { adaptToRights, createProbe, openGroup, type CountingPlace } from '../linux/perf/place.js';
import { findRatios, type RatioKind } from '../linux/perf/ratios.js';
import { resolveEvents, type ResolvedEvents } from '../linux/perf/resolve.js';

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

/** Where an event is counted: a group of each PMU that counts it, and its place there. */
interface OpenEvent {
  readonly event: CountedEvent;
  readonly parts: { readonly group: CounterGroup; readonly index: number }[];
}

/** Counts what a command and everything that it starts does. Must be finished. */
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

  /** Reads the counts; the command has ended. */
  finish(): CommandCounts {
    this.#finished ??= this.#count();
    return this.#finished;
  }

  /** The reason already has the name. */
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
   * A command runs on one kind of cores or on the other: together their PMUs have counted all the time.
   * @param parts those that could be read: a pinned event that did not get its counter could not
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

/** What one PMU's part cannot count stays out of the sum. */
function tryGroup(own: readonly OpenEvent[], part: number, place: CountingPlace): CounterGroup | undefined {
  const events = own.map(({ event }) => event);
  try {
    return new CounterGroup(openGroup(events, part, place));
  } catch (error) {
    if (error instanceof PerfEventError) return undefined;
    throw error;
  }
}
