import { perfType } from './event.js';
import { findEventCode, type EventCode } from './event-names.js';
import { isModifiers, parseModifiers, type EventModifiers } from './modifiers.js';

/** A term between the slashes of `pmu/event=0x3c,inv/`. */
export interface Term {
  readonly name: string;
  /** Undefined without `=`. */
  readonly value: string | undefined;
}

/** How an event is specified. */
export type EventSource =
  /** A code that is the same on every machine. */
  | ({ readonly kind: 'code' } & EventCode)
  /** A PMU's terms. */
  | { readonly kind: 'pmu'; readonly pmu: string; readonly terms: readonly Term[] }
  /** A name that depends on the machine: a PMU's alias, a tracepoint, an event of libpfm4. */
  | { readonly kind: 'name'; readonly name: string };

/** An event as written. */
export interface ParsedEvent {
  /** The text, including modifiers. */
  readonly text: string;
  readonly source: EventSource;
  readonly modifiers: EventModifiers;
}

/** Events of one group. */
export interface ParsedGroup {
  readonly events: readonly ParsedEvent[];
  /** Written in braces: counted together or not at all. */
  readonly isExplicit: boolean;
}

/** A list of events with a syntax error. */
export class EventSyntaxError extends Error {
  override readonly name = 'EventSyntaxError';
  /** Position in the list, from 1. */
  readonly position: number;

  constructor(text: string, at: number, problem: string) {
    super(`Cannot parse events ${quoteAround(text, at)} at character ${at + 1}: ${problem}`);
    this.position = at + 1;
  }
}

/** Characters shown before and after a syntax error: lists may be generated and long. */
const shownCharacters = 100;

/** Quotes the text around a position. */
export function quoteAround(text: string, at: number): string {
  const [from, to] = [Math.max(0, at - shownCharacters), at + shownCharacters];
  const [before, after] = [from > 0 ? '...' : '', to < text.length ? '...' : ''];
  return JSON.stringify(before + text.slice(from, to) + after);
}

/**
 * Parses a list of events in the syntax of perf-stat(1):
 * `cycles:u,{instructions,branches},cpu/event=0x3c/,r1a8`, and ALUMET's names and `#` before modifiers.
 * @throws EventSyntaxError
 */
export function parseEvents(text: string): readonly ParsedGroup[] {
  return new EventParser(text).parse();
}

/** An event whose modifiers are not complete yet. */
interface WrittenEvent extends Omit<ParsedEvent, 'modifiers'> {
  readonly letters: string;
}

/** @param shared modifiers of its group, which are added to its own */
function finish({ letters, ...event }: WrittenEvent, shared: string): ParsedEvent {
  return { ...event, modifiers: parseModifiers(letters + shared) };
}

/** Parses a list from start to end. */
class EventParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): readonly ParsedGroup[] {
    const groups: ParsedGroup[] = [];
    do groups.push(this.#parseItem());
    while (this.#take(','));
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#fail(`expected "," or the end, found ${this.#show()}`);
    return groups;
  }

  #parseItem(): ParsedGroup {
    if (!this.#take('{')) return { events: [finish(this.#parseEvent(), '')], isExplicit: false };
    const events: WrittenEvent[] = [];
    do events.push(this.#parseEvent());
    while (this.#take(','));
    if (!this.#take('}')) this.#fail(`expected "," or "}", found ${this.#show()}`);
    const shared = this.#take(':') ? this.#takeModifiers(/[^,\s]*/y) : '';
    return { events: events.map((event) => finish(event, shared)), isExplicit: true };
  }

  #parseEvent(): WrittenEvent {
    this.#skipSpace();
    const first = this.#at;
    const word = this.#takeWord(/[^,{}/\s]*/y);
    if (word === '') this.#fail(`expected an event, found ${this.#show()}`);
    const parsed = this.#take('/') ? this.#parsePmu(word) : this.#understand(word, first);
    return { text: this.#text.slice(first, this.#at).trimEnd(), ...parsed };
  }

  #parsePmu(pmu: string): Omit<WrittenEvent, 'text'> {
    const terms: Term[] = [];
    while (!this.#take('/')) {
      terms.push(this.#parseTerm());
      this.#skipSpace();
      if (!this.#take(',') && this.#text[this.#at] !== '/') {
        this.#fail(`expected "," or "/", found ${this.#show()}`);
      }
    }
    if (terms.length === 0) this.#fail('expected a term between the slashes, such as event=0x3c, found none');
    const hasModifiers = this.#takeNow(':') || /[^,{}\s]/.test(this.#text[this.#at] ?? ',');
    const letters = hasModifiers ? this.#takeModifiers(/[^,{}\s]*/y) : '';
    return { source: { kind: 'pmu', pmu, terms }, letters };
  }

  #parseTerm(): Term {
    this.#skipSpace();
    const name = this.#takeWord(/[^,{}/=\s]*/y);
    if (name === '') this.#fail(`expected the name of a term, found ${this.#show()}`);
    if (!this.#take('=')) return { name, value: undefined };
    this.#skipSpace();
    const value = this.#takeWord(/[^,{}/=\s]*/y);
    if (value === '') this.#fail(`expected a value, found ${this.#show()}`);
    return { name, value };
  }

  /** The text after the first `#` is modifiers; the text after a `:` may be modifiers or part of a name. */
  #understand(word: string, first: number): Omit<WrittenEvent, 'text'> {
    const marked = word.indexOf('#');
    if (marked >= 0) {
      const letters = this.#checkModifiers(word.slice(marked + 1).replaceAll(':', ''), first + marked + 1);
      return { ...this.#understand(word.slice(0, marked), first), letters };
    }
    const colon = word.indexOf(':');
    const name = colon < 0 ? word : word.slice(0, colon);
    if (name === '') this.#fail(`expected an event, found ${quoteAround(word, 0)}`, first);
    const code = findEventCode(name) ?? parseRaw(name);
    if (code === undefined) return understandName(word);
    const letters = colon < 0 ? '' : this.#checkModifiers(word.slice(colon + 1), first + colon + 1);
    return { source: { kind: 'code', ...code }, letters };
  }

  #takeModifiers(pattern: RegExp): string {
    const first = this.#at;
    return this.#checkModifiers(this.#takeWord(pattern), first);
  }

  #checkModifiers(text: string, at: number): string {
    if (isModifiers(text)) return text;
    return this.#fail(
      `expected modifiers out of u, k, h, I, G, H, p, D, e, found ${quoteAround(text, 0)}`,
      at,
    );
  }

  #takeWord(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const word = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += word.length;
    return word;
  }

  #take(character: string): boolean {
    const before = this.#at;
    this.#skipSpace();
    if (this.#takeNow(character)) return true;
    this.#at = before;
    return false;
  }

  #takeNow(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    this.#takeWord(/\s*/y);
  }

  #show(): string {
    this.#skipSpace();
    const found = this.#text[this.#at];
    return found === undefined ? 'the end' : JSON.stringify(found);
  }

  #fail(problem: string, at = this.#at): never {
    throw new EventSyntaxError(this.#text, at, problem);
  }
}

/** `r1a8` and `r0x1a8`: the PMU's own code. */
function parseRaw(name: string): EventCode | undefined {
  const digits = /^r(?:0x)?([0-9a-f]{1,16})$/i.exec(name)?.[1];
  return digits === undefined ? undefined : { type: perfType.raw, config: BigInt(`0x${digits}`) };
}

/** In a name with colons, the last part may be modifiers: that depends on the machine. */
function understandName(name: string): Omit<WrittenEvent, 'text'> {
  return { source: { kind: 'name', name }, letters: '' };
}
