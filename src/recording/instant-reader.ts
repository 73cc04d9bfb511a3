import { instantOf } from './otlp-json.js';

const maxTexts = 10_000;

/** Reads instants, of which most come again: those of a row, the starts of series. */
export class InstantReader {
  readonly #known = new Map<string, bigint>();

  /** @throws Error when it is too late for 64 bits */
  read(value: unknown): bigint {
    if (typeof value !== 'string') return instantOf(value);
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const read = instantOf(value);
    if (this.#known.size >= maxTexts) this.#known.clear();
    this.#known.set(value, read);
    return read;
  }
}
