import { formatValue } from '../../src/prometheus/names.js';

/** The text of a series' line. */
export interface LineText<Line> {
  /** The text before the value. */
  before(line: Line): string;
  /** The text after the value, including the line feed. */
  after(line: Line): string;
}

/** Maximum bytes of a value: `-1.2345678901234567e-100`. */
const maxValueBytes = 26;

/** Buffer for assembling texts of unknown length. */
let scratch = Buffer.alloc(0);

/**
 * The bytes of some lines. The text before the values is built once. Afterwards only changed values are
 * written, and bytes are moved only after a value whose number of digits has changed.
 */
export class BlockText<Line> {
  readonly #text: LineText<Line>;
  #lines: readonly Line[] = [];
  /** NaN: the line does not exist. */
  #shown = new Float64Array(0);
  /** Start and end of each value. */
  #from = new Uint32Array(0);
  #to = new Uint32Array(0);
  /** The used part of the buffer. */
  #bytes = Buffer.alloc(0);
  #room = Buffer.alloc(0);

  constructor(text: LineText<Line>) {
    this.#text = text;
  }

  /**
   * @param lines the same array as long as they are unchanged
   * @param values of the lines, from index `at` on
   * @returns bytes that are valid until the next call
   */
  write(lines: readonly Line[], values: Float64Array, at: number): Uint8Array {
    if (lines !== this.#lines || !this.#update(values, at)) this.#rebuild(lines, values, at);
    return this.#bytes;
  }

  /** @returns false if a line appears or disappears */
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
      // A code unit has at most 3 bytes in UTF-8.
      reserve(end + 3 * (before.length + after.length) + maxValueBytes);
      end += scratch.write(before, end);
      this.#from[i] = end;
      end += scratch.write(formatValue(this.#shown[i]), end);
      this.#to[i] = end;
      end += scratch.write(after, end);
    }
    this.#keep(end);
  }

  /** Copies the scratch buffer, with spare room, so that a longer value does not always need new memory. */
  #keep(length: number): void {
    if (length > this.#room.length || length < this.#room.length / 2) {
      this.#room = Buffer.allocUnsafeSlow(length + (length >> 5));
    }
    scratch.copy(this.#room, 0, 0, length);
    this.#bytes = this.#room.subarray(0, length);
  }
}

/** Grows the scratch buffer to at least this size, keeping its content. */
function reserve(length: number): void {
  if (length <= scratch.length) return;
  const larger = Buffer.allocUnsafeSlow(2 * length);
  scratch.copy(larger);
  scratch = larger;
}
