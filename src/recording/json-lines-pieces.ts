import { parseObject, type JsonObject } from './otlp-json.js';

/** A repeated piece of text, and the one that followed it last. */
interface Piece<Content> {
  readonly text: string;
  readonly content: Content;
  next: Piece<Content> | undefined;
}

/**
 * Pieces of lines with the same last character, with what was parsed from each. In lines of one program the
 * same pieces repeatedly follow each other, so that most are found by one comparison.
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

  /** The piece at this position of a line: usually the one that followed the previous piece last. */
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
    // A slice of a line would keep the whole line in memory.
    const text = Buffer.from(part).toString();
    const piece = { text, content, next: undefined };
    this.#known.set(text, piece);
    return piece;
  }
}

/** Parses the object formed by a piece and this text; undefined if they do not form one. */
export function parsePiece(text: string, end: string): JsonObject | undefined {
  try {
    return parseObject(text + end);
  } catch {
    // The line has another form, or is damaged: parsing it completely reports it.
    return undefined;
  }
}

/** Whether an object has no other fields. */
export function hasOnly(object: JsonObject, fields: readonly string[]): boolean {
  return Object.keys(object).every((field) => fields.includes(field));
}
