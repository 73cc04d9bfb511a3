/** Three maps that grow to this many keys in one step take less than 5 ms for it. */
const maxPart = 32_768;

/**
 * A map for very many keys. When a `Map` grows, it moves all of its entries at once, which takes milliseconds from 32,768
 * on. This one has parts of that size, and looks for a key in one after the other.
 */
export class LargeMap<Key, Value extends object> {
  /** New keys go to the last one. */
  readonly #parts: Map<Key, Value>[] = [new Map()];

  /** In how many parts it looks for a key that it does not have. */
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

  /** @param key that it does not have */
  add(key: Key, value: Value): void {
    const last = this.#parts.at(-1);
    const part = last === undefined || last.size >= maxPart ? this.#openPart() : last;
    part.set(key, value);
  }

  delete(key: Key): void {
    for (const part of this.#parts) if (part.delete(key)) return;
  }

  /** One that has lost keys, or else a new one. */
  #openPart(): Map<Key, Value> {
    const known = this.#parts.findIndex(({ size }) => size < maxPart);
    const [part = new Map<Key, Value>()] = known < 0 ? [] : this.#parts.splice(known, 1);
    this.#parts.push(part);
    return part;
  }
}
