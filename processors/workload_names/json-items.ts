import { isObject, type JsonObject } from '../../src/recording/otlp-json.js';

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** Nesting of the items: of the objects of a list, `[{}]`; of a Kubernetes list, `{"items":[{}]}`; of a stream, `{}{}`. */
export const itemDepths = { stream: 1, list: 2, kubernetesList: 3 } as const;

/** Maximum size of an item: a pod has about 10 kB. */
const maxItemBytes = 4 * 1024 * 1024;

/**
 * Splits a JSON text as it arrives, and parses its items one by one: parsing the whole list of a busy node at
 * once would block the thread for too long.
 */
export class JsonItems {
  readonly #depth: number;
  readonly #onItem: (item: JsonObject) => void;
  readonly #openers: number[] = [];
  #isText = false;
  #isEscaped = false;
  /** Parts of the current item; undefined: none has started. */
  #item: Buffer[] | undefined;
  #itemBytes = 0;
  /** The text outside of items, each of which is replaced by 0. */
  #rest = '';

  /** @param depth one of `itemDepths` */
  constructor(depth: number, onItem: (item: JsonObject) => void) {
    this.#depth = depth;
    this.#onItem = onItem;
  }

  /** @throws Error when it is not JSON */
  push(chunk: Buffer): void {
    let from = 0;
    for (let at = this.#skipText(chunk, 0); at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (byte === quote) {
        this.#isText = true;
        at = this.#skipText(chunk, at + 1) - 1;
      } else if (byte === openBrace || byte === openBracket) {
        this.#openers.push(byte);
        if (this.#isItemBegin(byte)) from = this.#beginItem(chunk, from, at);
      } else if (byte === closeBrace || byte === closeBracket) {
        this.#close(byte);
        if (this.#item && this.#openers.length < this.#depth) from = this.#endItem(chunk, from, at + 1);
      }
    }
    if (this.#item) this.#keepItem(chunk.subarray(from));
    else this.#keepRest(chunk.subarray(from));
  }

  /**
   * Ends the text.
   * @returns the object outside of the items; an empty one if there is none
   * @throws Error when it is not JSON, or is truncated
   */
  finish(): JsonObject {
    if (this.#openers.length > 0) throw new Error('expected a whole JSON text, found no end');
    if (this.#depth === itemDepths.stream) return {};
    const rest: unknown = parse(this.#rest);
    return isObject(rest) ? rest : {};
  }

  /** @returns the end of the current string, after its quotation mark; `from` if there is none */
  #skipText(chunk: Buffer, from: number): number {
    if (!this.#isText) return from;
    let at = from;
    let isEscaped = this.#isEscaped;
    for (; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (isEscaped) isEscaped = false;
      else if (byte === backslash) isEscaped = true;
      else if (byte === quote) break;
    }
    this.#isEscaped = isEscaped;
    this.#isText = at === chunk.length;
    return this.#isText ? at : at + 1;
  }

  #isItemBegin(byte: number): boolean {
    const { length } = this.#openers;
    if (byte !== openBrace || length !== this.#depth) return false;
    return length === 1 || this.#openers[length - 2] === openBracket;
  }

  #close(byte: number): void {
    const opener = this.#openers.pop();
    if (opener !== (byte === closeBrace ? openBrace : openBracket)) {
      throw new Error('expected JSON, found an unmatched bracket');
    }
  }

  #keepRest(part: Buffer): void {
    this.#rest += part.toString('latin1');
    if (this.#rest.length > maxItemBytes) {
      throw new Error(`expected JSON with items of at most ${maxItemBytes} bytes, found more`);
    }
    // Between the items of a stream there is only white space.
    if (this.#depth === itemDepths.stream) this.#checkGap();
  }

  #checkGap(): void {
    if (/[^\s0]/u.test(this.#rest)) throw new Error('expected JSON objects, found something else');
    this.#rest = '';
  }

  #keepItem(part: Buffer): void {
    this.#itemBytes += part.length;
    if (this.#itemBytes > maxItemBytes) {
      throw new Error(`expected JSON with items of at most ${maxItemBytes} bytes, found more`);
    }
    this.#item?.push(part);
  }

  #beginItem(chunk: Buffer, from: number, at: number): number {
    this.#keepRest(chunk.subarray(from, at));
    this.#item = [];
    this.#itemBytes = 0;
    return at;
  }

  #endItem(chunk: Buffer, from: number, end: number): number {
    this.#keepItem(chunk.subarray(from, end));
    const item: unknown = parse(Buffer.concat(this.#item ?? []).toString('utf8'));
    this.#item = undefined;
    this.#rest += '0';
    if (isObject(item)) this.#onItem(item);
    return end;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error('expected JSON, found something else', { cause: error });
  }
}
