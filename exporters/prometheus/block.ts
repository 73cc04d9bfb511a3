import { formatValue } from '../../src/prometheus/names.js';

/** What stands on each line of a series. */
export interface LineText<Line> {
  /** Up to the value. */
  before(line: Line): string;
  /** Behind the value, line feed included. */
  after(line: Line): string;
}

/** Bytes of a value, at most: `-1.2345678901234567e-100`. */
const maxValueBytes = 26;

/** Where texts are put together before it is known how long they get. */
let scratch = Buffer.alloc(0);

/**
 * The bytes of some lines. What stands before the values is made once. After that, only values that changed are written,
 * and only bytes behind one that has more or fewer digits than before are moved.
 */
export class BlockText<Line> {
  readonly #text: LineText<Line>;
  #lines: readonly Line[] = [];
  /** NaN: there is no line. */
  #shown = new Float64Array(0);
  /** Where each value begins and ends. */
  #from = new Uint32Array(0);
  #to = new Uint32Array(0);
  /** The part of the room that is in use. */
  #bytes = Buffer.alloc(0);
  #room = Buffer.alloc(0);

  constructor(text: LineText<Line>) {
    this.#text = text;
  }

  /**
   * @param lines the same array for as long as they are the same
   * @param values of these, from the index `at` on
   * @returns bytes that are valid until the next call
   */
  write(lines: readonly Line[], values: Float64Array, at: number): Uint8Array {
    if (lines !== this.#lines || !this.#update(values, at)) this.#rebuild(lines, values, at);
    return this.#bytes;
  }

  /** @returns false where a line begins or ends to exist */
  #update(values: Float64Array, at: number): boolean {
    const shown = this.#shown;
    let copied = 0;
    let end = 0;
    let moved = 0;
    for (let i = 0; i < shown.length; i++) {
      const value = values[at + i];
      if (value === shown[i] && moved === 0) continue;
      const begin = this.#from[i];
      const finish = this.#to[i];
      let width = finish - begin;
      if (!Object.is(value, shown[i])) {
        if (Number.isNaN(value) || Number.isNaN(shown[i])) return false;
        shown[i] = value;
        const text = formatValue(value);
        if (text.length === width) this.#bytes.write(text, begin);
        else {
          if (end === 0) reserve(this.#bytes.length + shown.length * maxValueBytes);
          end += this.#bytes.copy(scratch, end, copied, begin);
          width = text.length;
          end += scratch.write(text, end);
          copied = finish;
        }
      }
      this.#from[i] = begin + moved;
      moved += width - (finish - begin);
      this.#to[i] = this.#from[i] + width;
    }
    if (end > 0) this.#keep(end + this.#bytes.copy(scratch, end, copied));
    return true;
  }

  #rebuild(lines: readonly Line[], values: Float64Array, at: number): void {
    const count = lines.length;
    this.#lines = lines;
    this.#shown = values.slice(at, at + count);
    this.#from = new Uint32Array(count);
    this.#to = new Uint32Array(count);
    let end = 0;
    for (const [i, line] of lines.entries()) {
      if (Number.isNaN(this.#shown[i])) continue;
      const [before, after] = [this.#text.before(line), this.#text.after(line)];
      // In UTF-8, 3 bytes at most are made of a code unit.
      reserve(end + 3 * (before.length + after.length) + maxValueBytes);
      end += scratch.write(before, end);
      this.#from[i] = end;
      end += scratch.write(formatValue(this.#shown[i]), end);
      this.#to[i] = end;
      end += scratch.write(after, end);
    }
    this.#keep(end);
  }

  /** Keeps what is in the scratch buffer. There is some room left: not each longer value needs more memory. */
  #keep(length: number): void {
    if (length > this.#room.length || length < this.#room.length / 2) {
      this.#room = Buffer.allocUnsafeSlow(length + (length >> 5));
    }
    scratch.copy(this.#room, 0, 0, length);
    this.#bytes = this.#room.subarray(0, length);
  }
}

/** Makes the scratch buffer at least so large, with what it holds. */
function reserve(length: number): void {
  if (length <= scratch.length) return;
  const larger = Buffer.allocUnsafeSlow(2 * length);
  scratch.copy(larger);
  scratch = larger;
}
