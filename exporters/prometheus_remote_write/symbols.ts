import { elementAt } from '../../src/element.js';
import type { MessageWriter } from '../../src/otlp/wire.js';

const symbolsField = 4;

/** The texts of all requests, by number. */
export class SymbolTable {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];

  constructor() {
    // The protocol requires that the first text of every request is empty.
    this.numberOf('');
  }

  get size(): number {
    return this.#texts.length;
  }

  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#texts.push(text) - 1;
    this.#numbers.set(text, number);
    return number;
  }

  textOf(number: number): string {
    return elementAt(this.#texts, number);
  }
}

/** The texts of one request, each written on first use. */
export class RequestSymbols {
  readonly #table: SymbolTable;
  readonly #writer: MessageWriter;
  /** By number in the table: the last request that used a text, and its index there. */
  #usedIn = new Uint32Array(1024);
  #places = new Uint32Array(1024);
  #request = 0;
  #count = 0;

  constructor(table: SymbolTable, writer: MessageWriter) {
    this.#table = table;
    this.#writer = writer;
    this.begin();
  }

  /** Starts the texts of the next request. */
  begin(): void {
    this.#request += 1;
    this.#count = 0;
    this.placeOf(0);
  }

  /** The index in this request of a text in the table. */
  placeOf(number: number): number {
    if (number >= this.#usedIn.length) this.#grow(number);
    if (this.#usedIn[number] !== this.#request) {
      this.#usedIn[number] = this.#request;
      this.#places[number] = this.#count++;
      this.#writer.text(symbolsField, this.#table.textOf(number));
    }
    return this.#places[number] ?? 0;
  }

  #grow(number: number): void {
    const length = 2 * (number + 1);
    const [usedIn, places] = [new Uint32Array(length), new Uint32Array(length)];
    usedIn.set(this.#usedIn);
    places.set(this.#places);
    this.#usedIn = usedIn;
    this.#places = places;
  }
}
