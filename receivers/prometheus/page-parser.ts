import { LargeMap } from '../../src/prometheus/large-map.js';
import { parseNumber } from './number-text.js';
import { findSeriesEnd, quoteLine } from './series-text.js';

const [tab, newline, space, hash] = [0x09, 0x0a, 0x20, 0x23];

/** The formats of pages. */
export type PageFormat = 'openmetrics' | 'classic';

/** Interprets a line. Called once for each distinct line. */
export interface LineReader {
  /**
   * Adds a series.
   * @param text name and labels
   * @returns the slot of its values, a small unique integer
   */
  addSeries(text: string, format: PageFormat): number;
  /** Adds a comment, without its line end. */
  addComment(text: string): void;
  /** Removes the series of these slots, which were not on the last page. */
  removeSeries(slots: readonly number[]): void;
}

/** Far more than any series has; a page without line ends is no page of metrics. */
const maxLineBytes = 1024 * 1024;

/** Takes a fraction of a millisecond. */
const removalsPerStep = 128;

/** A byte that does not occur in UTF-8. */
const neverMatched = Uint8Array.of(0xff);
const wordBytes = 4;
const isComment = -1;
const isEnd = -2;

/** A line of pages: the text before the value, or a whole comment. */
class Line {
  text: Uint8Array;
  /** Its complete 4-byte words, little-endian. */
  words: Int32Array;
  /** Slot of the series; negative: none. */
  readonly slot: number;
  /** The line that followed it last. */
  next: Line | undefined = undefined;
  /** The number of the last page that contained it. */
  page = 0;

  constructor(text: Uint8Array, slot: number) {
    this.text = text;
    this.words = toWords(text);
    this.slot = slot;
  }
}

/**
 * Reads the pages of one target, chunk by chunk. Pages of a target differ mostly in their values: the text of a
 * line is compared with the line at the same place of the last page, and only its value is parsed. New or moved
 * lines are looked up by their text.
 */
export class PageParser {
  readonly #reader: LineReader;
  readonly #lines = new LargeMap<string, Line>();
  readonly #first = new Line(neverMatched, isComment);
  #previous = this.#first;
  #format: PageFormat = 'classic';
  #page = 0;
  #lineNumber = 0;
  #linesSeen = 0;
  #isEnded = false;
  #rest: Buffer = Buffer.alloc(0);
  /** The values of the page, by slot; valid only for series on the page. */
  values = new Float64Array(64);
  /** The page's timestamps of its samples, in its own unit, by slot; NaN: none. */
  stamps = new Float64Array(64);
  /** Number of samples on the page. */
  samples = 0;
  /** Number of repeated samples, which are ignored. */
  duplicates = 0;
  /** Whether any sample has a timestamp. */
  hasStamps = false;

  constructor(reader: LineReader) {
    this.#reader = reader;
  }

  /** Starts a page, in steps. An unfinished page is discarded. */
  *begin(format: PageFormat): Generator<void, void> {
    if (format !== this.#format) yield* this.forget();
    this.#format = format;
    this.#page++;
    this.#previous = this.#first;
    this.#lineNumber = 0;
    this.#linesSeen = 0;
    this.#isEnded = false;
    this.#rest = Buffer.alloc(0);
    this.samples = 0;
    this.duplicates = 0;
    this.hasStamps = false;
  }

  /** Reads the next chunk. @throws Error if a line is malformed */
  feed(chunk: Buffer): void {
    const last = chunk.lastIndexOf(newline);
    if (last < 0) {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      if (this.#rest.length <= maxLineBytes) return;
      throw new Error(
        `Cannot parse line ${this.#lineNumber + 1}: expected at most ${maxLineBytes} bytes, found more`,
      );
    }
    let from = 0;
    if (this.#rest.length > 0) {
      from = chunk.indexOf(newline) + 1;
      this.#parse(Buffer.concat([this.#rest, chunk.subarray(0, from)]));
    }
    this.#parse(chunk.subarray(from, last + 1));
    this.#rest = Buffer.from(chunk.subarray(last + 1));
  }

  /**
   * Ends the page, in steps.
   * @param mayBeCut whether a line without its end may be cut off, so that its value is a part of a number
   * @throws Error if the page is incomplete
   */
  *finish({ mayBeCut = false } = {}): Generator<void, void> {
    if (this.#rest.length > 0 && mayBeCut)
      throw new Error(
        `expected a line end, found the end of the connection after ${quoteLine(this.#rest, 0)}`,
      );
    if (this.#rest.length > 0) this.#parse(Buffer.concat([this.#rest, Buffer.of(newline)]));
    if (this.#format === 'openmetrics' && !this.#isEnded)
      throw new Error('expected "# EOF" in the last line, found none');
    if (this.#linesSeen < this.#lines.size) yield* this.#removeLines((line) => line.page !== this.#page);
  }

  /** Forgets all lines, in steps: the next page is read like the first one. */
  forget(): Generator<void, void> {
    return this.#removeLines(() => true);
  }

  *#removeLines(isGone: (line: Line) => boolean): Generator<void, void> {
    let slots: number[] = [];
    for (const [text, line] of this.#lines) {
      if (!isGone(line)) continue;
      if (slots.length === removalsPerStep) {
        this.#reader.removeSeries(slots);
        slots = [];
        yield;
      }
      this.#lines.delete(text);
      // The previous line may still refer to this one.
      line.text = neverMatched;
      line.words = noWords;
      if (line.slot >= 0) slots.push(line.slot);
    }
    if (slots.length > 0) this.#reader.removeSeries(slots);
  }

  /** @param bytes complete lines */
  #parse(bytes: Buffer): void {
    try {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let at = 0; at < bytes.length;) at = this.#parseLine(bytes, view, at);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`Cannot parse line ${this.#lineNumber}: ${reason}`, { cause: error });
    }
  }

  #parseLine(bytes: Buffer, view: DataView, from: number): number {
    this.#lineNumber++;
    const expected = this.#previous.next;
    const isExpected = expected !== undefined && matches(view, from, expected);
    const line = isExpected ? expected : this.#find(bytes, from);
    this.#previous = line;
    const isRepeated = line.page === this.#page;
    if (!isRepeated) {
      line.page = this.#page;
      this.#linesSeen++;
    }
    if (this.#isEnded) throw new Error(`expected nothing after "# EOF", found ${quoteLine(bytes, from)}`);
    const at = from + line.text.length;
    if (line.slot < 0) {
      if (line.slot === isEnd) this.#isEnded = this.#format === 'openmetrics';
      return at;
    }
    if (isRepeated) this.duplicates++;
    else this.samples++;
    return this.#parseSample(bytes, at, isRepeated ? this.#scratchSlot() : line.slot);
  }

  #parseSample(bytes: Buffer, from: number, slot: number): number {
    let at = from;
    while (bytes[at] === space || bytes[at] === tab) at++;
    at = parseNumber(bytes, at, this.values, slot);
    this.stamps[slot] = NaN;
    if (bytes[at] === newline) return at + 1;
    while (bytes[at] === space || bytes[at] === tab) at++;
    if (bytes[at] !== newline && bytes[at] !== hash) {
      at = parseNumber(bytes, at, this.stamps, slot);
      this.hasStamps = true;
      while (bytes[at] === space || bytes[at] === tab) at++;
    }
    if (bytes[at] === newline) return at + 1;
    // An exemplar.
    if (bytes[at] === hash && this.#format === 'openmetrics') return bytes.indexOf(newline, at) + 1;
    throw new Error(`expected the end of the line, found ${quoteLine(bytes, at)}`);
  }

  /** A slot for ignored values, after those of all series. */
  #scratchSlot(): number {
    return this.values.length - 1;
  }

  #find(bytes: Buffer, from: number): Line {
    const isNoSample = bytes[from] === hash || bytes[from] === newline;
    const end = isNoSample ? bytes.indexOf(newline, from) + 1 : findSeriesEnd(bytes, from, bytes.length);
    const key = bytes.toString('latin1', from, end);
    const known = this.#lines.get(key);
    const line = known ?? this.#learn(bytes.subarray(from, end), isNoSample);
    if (known === undefined) this.#lines.add(key, line);
    this.#previous.next = line;
    return line;
  }

  #learn(bytes: Buffer, isNoSample: boolean): Line {
    const text = Uint8Array.from(bytes);
    if (!isNoSample) {
      const slot = this.#reader.addSeries(bytes.toString('utf8'), this.#format);
      this.#reserve(slot);
      return new Line(text, slot);
    }
    const comment = bytes.toString('utf8').trimEnd();
    this.#reader.addComment(comment);
    return new Line(text, comment === '# EOF' ? isEnd : isComment);
  }

  #reserve(slot: number): void {
    if (slot + 1 < this.values.length) return;
    this.values = enlarge(this.values, slot);
    this.stamps = enlarge(this.stamps, slot);
  }
}

function enlarge(from: Float64Array, slot: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * (slot + 1));
  larger.set(from);
  return larger;
}

const noWords = new Int32Array(0);

function toWords(text: Uint8Array): Int32Array {
  const words = new Int32Array(text.length >> 2);
  for (let i = 0; i < words.length * wordBytes; i++) words[i >> 2] |= text[i] << (8 * (i % wordBytes));
  return words;
}

/** Whether the text of a line is at this offset. Comparing single bytes would take twice as long. */
function matches(view: DataView, from: number, { words, text }: Line): boolean {
  if (from + text.length > view.byteLength) return false;
  let at = from;
  for (let i = 0; i < words.length; i++) {
    if (view.getInt32(at, true) !== words[i]) return false;
    at += wordBytes;
  }
  for (let i = at - from; i < text.length; i++) if (view.getUint8(from + i) !== text[i]) return false;
  return true;
}
