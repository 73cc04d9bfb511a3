import { randomInt } from 'node:crypto';

const minWords = 1024;
const noBytes = viewOf(new Uint8Array(0));

/** Some bytes of a message. Those of fields that do not follow each other are put together. */
export class Span {
  view = noBytes;
  from = 0;
  to = 0;
  /** A number in which keys with the same bytes may differ. */
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

/** What was made of some bytes. */
export interface Entry<Value> {
  /** What the bytes are a part of; undefined: the entry is gone. */
  owner: object | undefined;
  readonly kind: number;
  readonly hash: number;
  /** Where its bytes are kept, and how many. */
  at: number;
  readonly length: number;
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
  /** The bytes of all entries, four in a number: next to each other, because they are read one after the other. */
  #words = new Int32Array(minWords);
  #used = 0;
  /** Of those used: how many are of entries that are gone. */
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

  /** What comes next if the order is that of the last time, and these are its bytes. */
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
    // One that is gone holds no other: they could be a chain without end.
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

  /** @returns where the bytes are kept */
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

  /** Moves the bytes together, without those of entries that are gone. */
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

/** Unknown to senders: they could otherwise choose keys that all have the same hash. */
const seed = randomInt(2 ** 32);

/** FNV-1a, which spreads well over what differs in few bytes. */
function hashOf({ view, from, to, kind }: Span): number {
  let hash = seed ^ kind;
  for (let i = from; i < to; i += 1) hash = Math.imul(hash ^ view.getUint8(i), 0x01000193);
  return hash;
}
