import { uint64Of } from './otlp-json.js';

const maxTexts = 10_000;

/** Reads 64-bit integers of which most come again: instants of a row, beginnings of series. */
export class Uint64Reader {
  readonly #known = new Map<string, bigint>();

  /** A 64-bit integer of 0 or more; 0 where there is none. */
  read(value: unknown): bigint {
    if (typeof value !== 'string') return uint64Of(value);
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const read = uint64Of(value);
    if (this.#known.size >= maxTexts) this.#known.clear();
    this.#known.set(value, read);
    return read;
  }
}
