import { randomInt } from 'node:crypto';

/** Some bytes of a message. Those of fields that do not follow each other are put together. */
export class Span {
  bytes: Uint8Array = none;
  from = 0;
  to = 0;
  /** A number in which keys with the same bytes may differ. */
  kind = 0;
  #gathered = new Uint8Array(1024);

  clear(): void {
    this.bytes = none;
    this.from = 0;
    this.to = 0;
    this.kind = 0;
  }

  add(bytes: Uint8Array, from: number, to: number): void {
    if (this.bytes === bytes && this.to === from) this.to = to;
    else if (this.to === this.from) this.#begin(bytes, from, to);
    else this.#gather(bytes.subarray(from, to));
  }

  copy(): Uint8Array {
    return this.bytes.slice(this.from, this.to);
  }

  #begin(bytes: Uint8Array, from: number, to: number): void {
    this.bytes = bytes;
    this.from = from;
    this.to = to;
  }

  #gather(added: Uint8Array): void {
    const before = this.bytes.subarray(this.from, this.to);
    const length = before.length + added.length;
    const room = length <= this.#gathered.length ? this.#gathered : new Uint8Array(2 * length);
    room.set(before);
    room.set(added, before.length);
    this.#gathered = room;
    this.#begin(room, 0, length);
  }
}

const none = new Uint8Array(0);

/** What was made of some bytes. */
export interface Entry<Value> {
  /** What the bytes are a part of; undefined: the entry is gone. */
  owner: object | undefined;
  readonly kind: number;
  readonly hash: number;
  readonly bytes: Uint8Array;
  value: Value;
  /** The next one with the same hash. */
  chain: Entry<Value> | undefined;
  /** The one that was looked for after this one the last time. */
  follower: Entry<Value> | undefined;
}

/**
 * Finds what was made of encoded bytes by these bytes, so that they are decoded once. What is sent again and again is
 * sent in the same order: the bytes that come are first compared with those that came next the last time.
 */
export class ByteCache<Value> {
  readonly #byHash = new Map<number, Entry<Value>>();
  #last: Entry<Value> | undefined;

  find(owner: object, span: Span): Entry<Value> | undefined {
    const expected = this.#last?.follower;
    if (expected !== undefined && matches(expected, owner, span)) {
      this.#last = expected;
      return expected;
    }
    let entry = this.#byHash.get(hashOf(span));
    while (entry !== undefined && !matches(entry, owner, span)) entry = entry.chain;
    if (entry !== undefined) this.#follow(entry);
    return entry;
  }

  add(owner: object, span: Span, value: Value): Entry<Value> {
    const hash = hashOf(span);
    const chain = this.#byHash.get(hash);
    const entry = { owner, kind: span.kind, hash, bytes: span.copy(), value, chain, follower: undefined };
    this.#byHash.set(hash, entry);
    this.#follow(entry);
    return entry;
  }

  delete(entry: Entry<Value>): void {
    const first = this.#byHash.get(entry.hash);
    if (first === entry) {
      if (entry.chain === undefined) this.#byHash.delete(entry.hash);
      else this.#byHash.set(entry.hash, entry.chain);
    } else unchain(first, entry);
    // One that is gone holds no other: they could be a chain without end.
    entry.owner = undefined;
    entry.chain = undefined;
    entry.follower = undefined;
    if (this.#last === entry) this.#last = undefined;
  }

  #follow(entry: Entry<Value>): void {
    if (this.#last !== undefined) this.#last.follower = entry;
    this.#last = entry;
  }
}

function unchain<Value>(first: Entry<Value> | undefined, entry: Entry<Value>): void {
  let before = first;
  while (before !== undefined && before.chain !== entry) before = before.chain;
  if (before !== undefined) before.chain = entry.chain;
}

function matches(entry: Entry<unknown>, owner: object, { bytes, from, to, kind }: Span): boolean {
  if (entry.owner !== owner || entry.kind !== kind) return false;
  const known = entry.bytes;
  const { length } = known;
  if (length !== to - from) return false;
  for (let i = 0; i < length; i += 1) if (known[i] !== bytes[from + i]) return false;
  return true;
}

/** Unknown to senders: they could otherwise choose keys that all have the same hash. */
const seed = randomInt(2 ** 32);

/** FNV-1a, which spreads well over what differs in few bytes. */
function hashOf({ bytes, from, to, kind }: Span): number {
  let hash = seed ^ kind;
  for (let i = from; i < to; i += 1) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return hash;
}
