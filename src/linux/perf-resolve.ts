import { describeError } from '../component/errors.js';
import type { CountedEvent, EventGroup } from './perf-counted-event.js';
import type { ParsedEvent, ParsedGroup } from './perf-grammar.js';
import { findMeaning } from './perf-meaning.js';
import { listPmus, type Pmu } from './perf-pmu.js';

/** An event that this machine does not know. */
export interface UnknownEvent {
  /** As written. */
  readonly text: string;
  readonly reason: string;
}

/** What a machine knows of a list of events. */
export interface ResolvedEvents {
  /** In the order of the list, without what is unknown. */
  readonly groups: readonly EventGroup[];
  readonly unknown: readonly UnknownEvent[];
}

/** How events are found and what they are called. */
export interface ResolveOptions {
  readonly sysfs: string;
  /** By the text of the event, or the name that it would have. */
  readonly rename?: Readonly<Record<string, string>>;
}

/** Finds what this machine calls the events of a list. */
export function resolveEvents(parsed: readonly ParsedGroup[], options: ResolveOptions): ResolvedEvents {
  const pmus = listPmus(options.sysfs);
  const unknown: UnknownEvent[] = [];
  const machine = { ...options, pmus, names: new Set<string>() };
  const groups = parsed.flatMap(({ events, isExplicit }) => {
    const known = events.flatMap((event) => resolveKnown(event, machine, unknown));
    // A group without one of its events is not what was asked for.
    if (isExplicit && known.length < events.length) unknown.push(...describeBroken(events, unknown));
    return known.length === 0 || (isExplicit && known.length < events.length)
      ? []
      : [{ events: known, isExplicit }];
  });
  return { groups, unknown };
}

interface Machine extends ResolveOptions {
  readonly pmus: readonly Pmu[];
  /** Those that are taken. */
  readonly names: Set<string>;
}

function resolveKnown(
  event: ParsedEvent,
  machine: Machine,
  unknown: UnknownEvent[],
): readonly CountedEvent[] {
  try {
    const meaning = findMeaning(event.source, machine);
    const name = takeName(meaning.name ?? event.text, event.text, machine);
    return [{ ...meaning, name, modifiers: { ...meaning.modifiers, ...event.modifiers } }];
  } catch (error) {
    unknown.push({ text: event.text, reason: `Cannot count event "${event.text}": ${describeError(error)}` });
    return [];
  }
}

function takeName(own: string, text: string, { names, rename = {} }: Machine): string {
  const name = rename[text] ?? rename[own] ?? own;
  if (names.has(name)) throw new Error(`another one is called "${name}", wanted another name by "rename"`);
  names.add(name);
  return name;
}

function describeBroken(
  events: readonly ParsedEvent[],
  unknown: readonly UnknownEvent[],
): readonly UnknownEvent[] {
  const texts = new Set(unknown.map(({ text }) => text));
  const rest = events.filter(({ text }) => !texts.has(text));
  return rest.map(({ text }) => ({
    text,
    reason: `Cannot count event "${text}": another one of its group is unknown`,
  }));
}
