import { findOrAdd } from '../../model/find-or-add.js';
import { quoteAround } from './grammar.js';

/** An event that is not counted. */
export interface UncountedEvent {
  readonly name: string;
  /** A sentence with `event "NAME"` in it. */
  readonly reason: string;
}

/** Beyond this many names a line says only how many more there are. */
const mostNames = 10;

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
  const shown = names.slice(0, mostNames).map((name) => quoteAround(name, 0));
  const more = names.length - shown.length;
  const list = shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
  return `${names.length > 1 ? 'events' : 'event'} ${list}`;
}
