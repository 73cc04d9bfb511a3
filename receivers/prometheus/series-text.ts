const newline = 0x0a;

/** The labels of a series, including its name as `__name__`. */
export type Labels = Map<string, string>;

/** The label that holds the metric name. */
export const nameLabel = '__name__';

/**
 * The end of a series' text at the start of a line: its name, its labels and one blank.
 * @throws Error if the line ends before
 */
export function findSeriesEnd(bytes: Buffer, from: number, to: number): number {
  let isQuoted = false;
  let isInBraces = false;
  for (let at = from; at < to; at++) {
    const character = String.fromCharCode(bytes[at] ?? newline);
    if (character === '\n') break;
    if (isQuoted) {
      if (character === '\\') at++;
      else isQuoted = character !== '"';
    } else if (character === '"') isQuoted = true;
    else if (character === '{') isInBraces = true;
    else if (character === '}') return isBlank(bytes[at + 1]) ? at + 2 : at + 1;
    else if (!isInBraces && isBlank(bytes[at]) && at > from && !leadsToBrace(bytes, at)) return at + 1;
  }
  throw new Error(`expected a series and its value, found ${quoteLine(bytes, from)}`);
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09;
}

function leadsToBrace(bytes: Buffer, from: number): boolean {
  let at = from;
  while (isBlank(bytes[at])) at++;
  return bytes[at] === 0x7b;
}

/** For messages: the line that starts here. */
export function quoteLine(bytes: Buffer, from: number): string {
  const end = bytes.indexOf(newline, from);
  return JSON.stringify(bytes.toString('utf8', from, end < 0 ? bytes.length : end).slice(0, 80));
}

const name = /[a-zA-Z_:][a-zA-Z0-9_:]*/uy;
const quoted = /"((?:[^"\\\n]|\\.)*)"/uy;
const labelName = /[a-zA-Z_][a-zA-Z0-9_]*/uy;
const blanks = /[ \t]*/uy;

/**
 * Parses the labels of a series: `name{label="value"}` or, with UTF-8 names, `{"name","label"="value"}`. Empty
 * labels are left out.
 * @throws Error if the syntax is invalid
 */
export function parseSeriesText(text: string): Labels {
  return new SeriesParser(text).parse();
}

class SeriesParser {
  readonly #text: string;
  readonly #labels: Labels = new Map();
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Labels {
    this.#take(blanks);
    const plainName = this.#take(name);
    if (plainName !== undefined) this.#labels.set(nameLabel, plainName);
    this.#take(blanks);
    if (this.#skip('{')) this.#parseBraces();
    this.#take(blanks);
    if (!this.#labels.has(nameLabel)) throw this.#mismatch('the name of a metric');
    if (this.#at < this.#text.length) throw this.#mismatch('a blank and a value');
    return this.#labels;
  }

  #parseBraces(): void {
    this.#take(blanks);
    while (!this.#skip('}')) {
      this.#parseLabel();
      this.#take(blanks);
      if (this.#skip(',')) this.#take(blanks);
      else if (this.#text[this.#at] !== '}') throw this.#mismatch('"," or "}"');
    }
  }

  #parseLabel(): void {
    const quotedName = this.#takeQuoted();
    const label = quotedName ?? this.#take(labelName);
    if (label === undefined || label === '') throw this.#mismatch('the name of a label');
    this.#take(blanks);
    if (!this.#skip('=')) {
      if (quotedName === undefined || this.#labels.has(nameLabel)) throw this.#mismatch('"="');
      this.#labels.set(nameLabel, quotedName);
      return;
    }
    this.#take(blanks);
    const value = this.#takeQuoted();
    if (value === undefined) throw this.#mismatch('a value in double quotes');
    if (this.#labels.has(label)) throw this.#mismatch(`the label ${JSON.stringify(label)} once`);
    if (value !== '') this.#labels.set(label, value);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #takeQuoted(): string | undefined {
    const found = this.#take(quoted);
    return found === undefined ? undefined : unescapeText(found.slice(1, -1));
  }

  #skip(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #mismatch(expected: string): Error {
    return new Error(
      `expected ${expected}, found ${JSON.stringify(this.#text.slice(this.#at, this.#at + 80))}`,
    );
  }
}

/** Unescapes `\n`, `\"` and `\\`. */
export function unescapeText(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replaceAll(/\\(.)/gu, (all, character: string) => {
    if (character === 'n') return '\n';
    return character === '\\' || character === '"' ? character : all;
  });
}
