import { runInSlices } from '../../src/linux/slices.js';

// The block format of Snappy: https://github.com/google/snappy/blob/main/format_description.txt

/** Matches do not reach back beyond the start of their part, so that offsets fit into two bytes. */
const partBytes = 65_536;
const hashBits = 14;
/** Maximum text of an element. */
const maxCopyBytes = 64;
/** Shorter ends are not searched. */
const marginBytes = 15;

const table = new Uint16Array(1 << hashBits);

/** Compresses bytes as one block, in slices between which the main thread does other work. */
export async function compressSnappy(bytes: Uint8Array): Promise<Uint8Array> {
  const block = new Block(bytes);
  await runInSlices(block.write());
  return block.take();
}

class Block {
  readonly #from: Uint8Array;
  readonly #view: DataView;
  readonly #to: Buffer;
  #at = 0;

  constructor(from: Uint8Array) {
    this.#from = from;
    this.#view = new DataView(from.buffer, from.byteOffset, from.length);
    // The worst case of the reference implementation: incompressible bytes grow by at most a sixth.
    this.#to = Buffer.allocUnsafeSlow(32 + from.length + Math.floor(from.length / 6));
  }

  take(): Uint8Array {
    return this.#to.subarray(0, this.#at);
  }

  *write(): Generator<void, void> {
    this.#writeLength(this.#from.length);
    for (let from = 0; from < this.#from.length; from += partBytes) {
      if (from > 0) yield;
      this.#compress(from, Math.min(from + partBytes, this.#from.length));
    }
  }

  #writeLength(length: number): void {
    let rest = length;
    for (; rest >= 0x80; rest >>>= 7) this.#to[this.#at++] = (rest & 0x7f) | 0x80;
    this.#to[this.#at++] = rest;
  }

  /** Searches four bytes that occurred before in this part; the longer it finds none, the fewer positions it checks. */
  #compress(from: number, to: number): void {
    table.fill(0);
    let literal = from;
    let misses = 32;
    for (let at = from + 1; at < to - marginBytes;) {
      const word = this.#view.getUint32(at, true);
      const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - hashBits);
      const found = from + (table[slot] ?? 0);
      table[slot] = at - from;
      if (this.#view.getUint32(found, true) !== word) {
        at += misses++ >>> 5;
        continue;
      }
      this.#writeLiteral(literal, at);
      literal = this.#findEnd(found + 4, at + 4, to);
      this.#writeCopies(at - found, literal - at);
      at = literal;
      misses = 32;
    }
    this.#writeLiteral(literal, to);
  }

  #findEnd(before: number, from: number, to: number): number {
    const bytes = this.#from;
    let at = from;
    for (let old = before; at < to && bytes[at] === bytes[old]; at++) old++;
    return at;
  }

  #writeLiteral(from: number, to: number): void {
    const length = to - from;
    if (length === 0) return;
    const last = length - 1;
    if (last < 60) this.#to[this.#at++] = last << 2;
    else {
      const extra = last < 256 ? 1 : 2;
      this.#to[this.#at] = (59 + extra) << 2;
      this.#at = this.#to.writeUIntLE(last, this.#at + 1, extra);
    }
    this.#to.set(this.#from.subarray(from, to), this.#at);
    this.#at += length;
  }

  /** Writes copies with an offset of two bytes. */
  #writeCopies(offset: number, length: number): void {
    for (let rest = length; rest > 0; rest -= maxCopyBytes) {
      this.#to[this.#at] = ((Math.min(rest, maxCopyBytes) - 1) << 2) | 2;
      this.#at = this.#to.writeUInt16LE(offset, this.#at + 1);
    }
  }
}
