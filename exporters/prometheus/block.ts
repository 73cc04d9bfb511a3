import { maxValueBytes, writeValue } from './write-value.js';

/** What stands on each line of a series. */
export interface LineText<Line> {
  /** Up to the value. */
  before(line: Line): string;
  /** Behind the value, line feed included. */
  after(line: Line): string;
}

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
  #bytes = Buffer.alloc(0);
  #length = 0;

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
    return this.#bytes.subarray(0, this.#length);
  }

  /** @returns false where a line begins or ends to exist */
  #update(values: Float64Array, at: number): boolean {
    const [shown, from, to, bytes] = [this.#shown, this.#from, this.#to, this.#bytes];
    reserve(this.#length + shown.length * maxValueBytes);
    let copied = 0;
    let end = 0;
    let moved = 0;
    for (let i = 0; i < shown.length; i++) {
      const [begin, finish, value] = [from[i], to[i], values[at + i]];
      if (!Object.is(value, shown[i])) {
        if (Number.isNaN(value) || Number.isNaN(shown[i])) return false;
        shown[i] = value;
        const width = writeValue(value, digits, 0);
        if (width === finish - begin) copyDigits(width, bytes, begin);
        else {
          end += bytes.copy(scratch, end, copied, begin);
          copyDigits(width, scratch, end);
          end += width;
          copied = finish;
        }
        to[i] = begin + width;
      }
      from[i] = begin + moved;
      to[i] += moved;
      moved = to[i] - finish;
    }
    if (end > 0) this.#keep(end + bytes.copy(scratch, end, copied, this.#length));
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
      end = writeValue(this.#shown[i], scratch, end);
      this.#to[i] = end;
      end += scratch.write(after, end);
    }
    this.#keep(end);
  }

  /** Keeps what is in the scratch buffer. */
  #keep(length: number): void {
    if (length > this.#bytes.length || length < this.#bytes.length / 2) {
      // Some values get longer: not each time needs another buffer.
      this.#bytes = Buffer.allocUnsafeSlow(length + (length >> 6));
    }
    scratch.copy(this.#bytes, 0, 0, length);
    this.#length = length;
  }
}

const digits = new Uint8Array(maxValueBytes);

function copyDigits(width: number, to: Uint8Array, at: number): void {
  for (let i = 0; i < width; i++) to[at + i] = digits[i];
}

/** Makes the scratch buffer at least so large, with what it holds. */
function reserve(length: number): void {
  if (length <= scratch.length) return;
  const larger = Buffer.allocUnsafeSlow(2 * length);
  scratch.copy(larger);
  scratch = larger;
}
