/** Growing three maps to this many keys in one step takes less than 5 ms. */
const maxPart = 32_768;

/**
 * A map for very many keys. When a `Map` grows, it moves all of its entries at once, which takes milliseconds
 * from 32,768 on. This one consists of parts of that size, which are searched one after the other.
 */
export class LargeMap<Key, Value extends object> {
  /** New keys go to the last part. */
  readonly #parts: Map<Key, Value>[] = [new Map()];

  /** In how many parts a missing key is searched. */
  get parts(): number {
    return this.#parts.length;
  }

  get size(): number {
    return this.#parts.reduce((sum, part) => sum + part.size, 0);
  }

  get(key: Key): Value | undefined {
    for (const part of this.#parts) {
      const value = part.get(key);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** Keys and values. Keys may be deleted meanwhile, but not added. */
  *[Symbol.iterator](): Generator<readonly [Key, Value], void> {
    for (const part of this.#parts) yield* part;
  }

  /** @param key must not exist */
  add(key: Key, value: Value): void {
    const last = this.#parts.at(-1);
    const part = last === undefined || last.size >= maxPart ? this.#openPart() : last;
    part.set(key, value);
  }

  delete(key: Key): void {
    for (const part of this.#parts) if (part.delete(key)) return;
  }

  /** A part that has lost keys, or a new one. */
  #openPart(): Map<Key, Value> {
    const known = this.#parts.findIndex(({ size }) => size < maxPart);
    const [part = new Map<Key, Value>()] = known < 0 ? [] : this.#parts.splice(known, 1);
    this.#parts.push(part);
    return part;
  }
}
