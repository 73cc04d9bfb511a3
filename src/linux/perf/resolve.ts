import { describeError } from '../../errors.js';
import { suggest } from '../../nearest.js';
import type { CountedEvent, EventGroup, UncountedEvent } from './counted-event.js';
import { listEventNames } from './event-names.js';
import type { ParsedEvent, ParsedGroup } from './grammar.js';
import { findMeaning } from './meaning.js';
import { listAliases, listPmus, type Pmu } from './pmu.js';

/** The resolved events of a list. */
export interface ResolvedEvents {
  /** In list order, without unknown events. */
  readonly groups: readonly EventGroup[];
  /** Events that this machine does not know, by their text. */
  readonly unknown: readonly UncountedEvent[];
}

/** How events are resolved and named. */
export interface ResolveOptions {
  readonly sysfs: string;
  /** New names, by the text of the event or the name that it would have. */
  readonly rename?: Readonly<Record<string, string>>;
}

/** Resolves the events of a list on this machine. */
export function resolveEvents(parsed: readonly ParsedGroup[], options: ResolveOptions): ResolvedEvents {
  const pmus = listPmus(options.sysfs);
  const unknown: UncountedEvent[] = [];
  const machine = { ...options, pmus, names: new Set<string>(), suggest: createSuggest(pmus) };
  const groups = parsed.flatMap(({ events, isExplicit }) => {
    const before = unknown.length;
    const known = events.flatMap((event) => resolveKnown(event, machine, unknown));
    // An explicit group without one of its events is refused.
    if (isExplicit && known.length < events.length)
      unknown.push(...describeBroken(events, unknown.slice(before)));
    return known.length === 0 || (isExplicit && known.length < events.length)
      ? []
      : [{ events: known, isExplicit }];
  });
  return { groups, unknown };
}

interface Machine extends ResolveOptions {
  readonly pmus: readonly Pmu[];
  /** Names already used. */
  readonly names: Set<string>;
  suggest(name: string): string;
}

/** A list with more unknown events is not misspelt, but made for another machine. */
const maxSuggestions = 20;

function createSuggest(pmus: readonly Pmu[]): (name: string) => string {
  let left = maxSuggestions;
  let known: readonly string[] | undefined;
  return (name) => {
    if (left-- <= 0) return '';
    known ??= [...listEventNames(), ...pmus.flatMap(listAliases)];
    return suggest(name.toLowerCase(), known);
  };
}

function resolveKnown(
  event: ParsedEvent,
  machine: Machine,
  unknown: UncountedEvent[],
): readonly CountedEvent[] {
  try {
    const meaning = findMeaning(event.source, machine);
    const name = takeName(meaning.name ?? event.text, event.text, machine);
    return [{ ...meaning, name, modifiers: { ...meaning.modifiers, ...event.modifiers } }];
  } catch (error) {
    unknown.push({ name: event.text, reason: `Cannot count event "${event.text}": ${describeError(error)}` });
    return [];
  }
}

function takeName(own: string, text: string, { names, rename = {} }: Machine): string {
  const name = rename[text] ?? rename[own] ?? own;
  if (names.has(name))
    throw new Error(
      `expected a name of its own, found another event that is called "${name}"; set another name by "rename"`,
    );
  names.add(name);
  return name;
}

function describeBroken(
  events: readonly ParsedEvent[],
  unknown: readonly UncountedEvent[],
): readonly UncountedEvent[] {
  const texts = new Set(unknown.map(({ name }) => name));
  const rest = events.filter(({ text }) => !texts.has(text));
  return rest.map(({ text }) => ({
    name: text,
    reason: `Cannot count event "${text}": expected a group of known events, found an unknown one`,
  }));
}
