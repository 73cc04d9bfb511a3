import { parseObject, type JsonObject } from './otlp-json.js';

/** A piece of text that comes again and again, and the one that followed it last. */
interface Piece<Content> {
  readonly text: string;
  readonly content: Content;
  next: Piece<Content> | undefined;
}

/**
 * Pieces of lines that end in the same way, with what was read from each. In lines of one program the same pieces follow
 * each other again and again, so that most are known by one comparison.
 */
export class Pieces<Content> {
  readonly #end: string;
  readonly #read: (text: string) => Content | undefined;
  readonly #known = new Map<string, Piece<Content>>();
  #last: Piece<Content> | undefined;

  constructor(end: string, read: (text: string) => Content | undefined) {
    this.#end = end;
    this.#read = read;
  }

  clear(): void {
    this.#known.clear();
    this.#last = undefined;
  }

  /** The piece at this place of a line: most often the one that followed the last one before. */
  find(line: string, at: number): Piece<Content> | undefined {
    const next = this.#last?.next;
    if (next && line.slice(at, at + next.text.length) === next.text) return (this.#last = next);
    const end = line.indexOf(this.#end, at);
    if (end < 0) return undefined;
    const text = line.slice(at, end + this.#end.length);
    const piece = this.#known.get(text) ?? this.#learn(text);
    if (piece === undefined) return undefined;
    if (this.#last) this.#last.next = piece;
    return (this.#last = piece);
  }

  #learn(part: string): Piece<Content> | undefined {
    const content = this.#read(part);
    if (content === undefined) return undefined;
    // A part of a line would keep all of it.
    const text = Buffer.from(part).toString();
    const piece = { text, content, next: undefined };
    this.#known.set(text, piece);
    return piece;
  }
}

/** The object that a piece begins and this text ends; undefined: together they are none. */
export function parsePiece(text: string, end: string): JsonObject | undefined {
  try {
    return parseObject(text + end);
  } catch {
    // The line is in another form, or damaged: read as a whole, it is reported.
    return undefined;
  }
}

/** Whether an object has no other fields. */
export function hasOnly(object: JsonObject, fields: readonly string[]): boolean {
  return Object.keys(object).every((field) => fields.includes(field));
}
