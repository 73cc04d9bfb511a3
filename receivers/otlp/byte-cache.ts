import { randomInt } from 'node:crypto';

const minWords = 1024;
const noBytes = viewOf(new Uint8Array(0));

/** A range of bytes of a message. The bytes of fields that are not adjacent are joined. */
export class Span {
  view = noBytes;
  from = 0;
  to = 0;
  /** A number that distinguishes keys with the same bytes. */
  kind = 0;
  #gathered = viewOf(new Uint8Array(1024));

  get isEmpty(): boolean {
    return this.to === this.from;
  }

  clear(): void {
    this.view = noBytes;
    this.from = 0;
    this.to = 0;
    this.kind = 0;
  }

  add(view: DataView, from: number, to: number): void {
    if (this.view === view && this.to === from) this.to = to;
    else if (this.isEmpty) this.#begin(view, from, to);
    else this.#gather(bytesOf(view, from, to));
  }

  copy(): Uint8Array {
    return bytesOf(this.view, this.from, this.to).slice();
  }

  #begin(view: DataView, from: number, to: number): void {
    this.view = view;
    this.from = from;
    this.to = to;
  }

  #gather(added: Uint8Array): void {
    const before = bytesOf(this.view, this.from, this.to);
    const length = before.length + added.length;
    if (length > this.#gathered.byteLength) this.#gathered = viewOf(new Uint8Array(2 * length));
    const room = bytesOf(this.#gathered, 0, length);
    room.set(before);
    room.set(added, before.length);
    this.#begin(this.#gathered, 0, length);
  }
}

function viewOf({ buffer, byteOffset, length }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, length);
}

function bytesOf({ buffer, byteOffset }: DataView, from: number, to: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + from, to - from);
}

/** The decoded value of some bytes. */
export interface Entry<Value> {
  /** The parent of the bytes; undefined: the entry was removed. */
  owner: object | undefined;
  readonly kind: number;
  readonly hash: number;
  /** Index of its bytes in the cache. */
  at: number;
  readonly length: number;
  value: Value;
  /** The next entry with the same hash. */
  chain: Entry<Value> | undefined;
  /** The entry that was looked up after this one the last time. */
  follower: Entry<Value> | undefined;
}

/**
 * Finds decoded values by their encoded bytes, so that bytes are decoded once. Senders repeat requests in the
 * same order, so the entry that followed the last time is compared first.
 */
export class ByteCache<Value> {
  readonly #byHash = new Map<number, Entry<Value>>();
  /** The bytes of all entries, four per number. They are contiguous because they are read sequentially. */
  #words = new Int32Array(minWords);
  #used = 0;
  /** The number of words in use by removed entries. */
  #stale = 0;
  #last: Entry<Value> | undefined;

  find(owner: object, span: Span): Entry<Value> | undefined {
    const expected = this.expect(owner, span);
    if (expected !== undefined) return expected;
    let entry = this.#byHash.get(hashOf(span));
    while (entry !== undefined && !this.#matches(entry, owner, span)) entry = entry.chain;
    if (entry !== undefined) this.#follow(entry);
    return entry;
  }

  /** Returns the entry that followed the last time, if it has these bytes. */
  expect(owner: object, span: Span): Entry<Value> | undefined {
    const expected = this.#last?.follower;
    if (expected === undefined || !this.#matches(expected, owner, span)) return undefined;
    this.#last = expected;
    return expected;
  }

  add(owner: object, span: Span, value: Value): Entry<Value> {
    const hash = hashOf(span);
    const entry = {
      owner,
      kind: span.kind,
      hash,
      at: this.#keep(span),
      length: span.to - span.from,
      value,
      chain: this.#byHash.get(hash),
      follower: undefined,
    };
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
    // A removed entry must not reference others: that could become an endless chain.
    entry.owner = undefined;
    entry.chain = undefined;
    entry.follower = undefined;
    if (this.#last === entry) this.#last = undefined;
    this.#stale += wordsIn(entry.length);
    if (this.#used > minWords && 2 * this.#stale > this.#used) this.#compact();
  }

  #matches(entry: Entry<Value>, owner: object, { view, from, to, kind }: Span): boolean {
    const { length, at } = entry;
    if (entry.owner !== owner || entry.kind !== kind || length !== to - from) return false;
    const words = this.#words;
    const whole = length >> 2;
    for (let i = 0; i < whole; i += 1) if (view.getInt32(from + 4 * i, true) !== words[at + i]) return false;
    return (length & 3) === 0 || lastWord(view, from + 4 * whole, to) === words[at + whole];
  }

  /** @returns the index of the bytes in the cache */
  #keep({ view, from, to }: Span): number {
    const at = this.#used;
    const whole = (to - from) >> 2;
    this.#used += wordsIn(to - from);
    if (this.#used > this.#words.length) this.#resize(2 * this.#used);
    for (let i = 0; i < whole; i += 1) this.#words[at + i] = view.getInt32(from + 4 * i, true);
    if (at + whole < this.#used) this.#words[at + whole] = lastWord(view, from + 4 * whole, to);
    return at;
  }

  #resize(length: number): void {
    const words = new Int32Array(length);
    words.set(this.#words.subarray(0, Math.min(length, this.#words.length)));
    this.#words = words;
  }

  /** Compacts the bytes, without those of removed entries. */
  #compact(): void {
    const words = this.#words;
    this.#words = new Int32Array(Math.max(minWords, 2 * (this.#used - this.#stale)));
    this.#used = this.#stale = 0;
    for (const entry of this.#byHash.values()) {
      for (let one: Entry<Value> | undefined = entry; one !== undefined; one = one.chain) {
        const length = wordsIn(one.length);
        this.#words.set(words.subarray(one.at, one.at + length), this.#used);
        one.at = this.#used;
        this.#used += length;
      }
    }
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

function wordsIn(bytes: number): number {
  return (bytes + 3) >> 2;
}

/** One to three bytes as a number. */
function lastWord(view: DataView, from: number, to: number): number {
  let word = 0;
  for (let i = from; i < to; i += 1) word = (word << 8) | view.getUint8(i);
  return word;
}

/** Unknown to senders, which could otherwise choose keys that all have the same hash. */
const seed = randomInt(2 ** 32);

/** FNV-1a, which distributes values that differ in few bytes well. */
function hashOf({ view, from, to, kind }: Span): number {
  let hash = seed ^ kind;
  for (let i = from; i < to; i += 1) hash = Math.imul(hash ^ view.getUint8(i), 0x01000193);
  return hash;
}
