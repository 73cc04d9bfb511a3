/** Replaces equal objects by one object, with a short name each. */
export class Interned<T extends object> {
  readonly #describe: (object: T) => string;
  readonly #known = new Map<string, T>();
  readonly #ids = new WeakMap<T, number>();
  readonly #uses = new Map<T, number>();
  #lastId = 0;

  /** @param describe returns the same text for equal objects only */
  constructor(describe: (object: T) => string) {
    this.#describe = describe;
  }

  /** The representative of all objects equal to this one. */
  find(object: T): T {
    const key = this.#describe(object);
    const known = this.#known.get(key);
    if (known) return known;
    this.#known.set(key, object);
    return object;
  }

  idOf(object: T): number {
    const known = this.#ids.get(object);
    if (known !== undefined) return known;
    this.#lastId += 1;
    this.#ids.set(object, this.#lastId);
    return this.#lastId;
  }

  /** Counts a use of an object. A forgotten object may be retained again by a caller that kept it. */
  retain(object: T): void {
    const uses = this.#uses.get(object) ?? 0;
    this.#uses.set(object, uses + 1);
    if (uses === 0) this.find(object);
  }

  /** Ends a use. An object without uses is forgotten. */
  release(object: T): void {
    const uses = (this.#uses.get(object) ?? 1) - 1;
    if (uses > 0) this.#uses.set(object, uses);
    else this.#uses.delete(object);
    this.forgetUnused(object);
  }

  /** Forgets an object that was found but never used. */
  forgetUnused(object: T): void {
    if (!this.#uses.has(object)) this.#known.delete(this.#describe(object));
  }
}
