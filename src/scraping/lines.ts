import type { Log } from '../component/log.js';
import { elementAt } from '../element.js';
import type { KeptFile } from '../linux/kept-file.js';
import { parseNumbers } from '../linux/procfs.js';

const newline = 0x0a;
const number = new Float64Array(1);

/**
 * Where a line continues after a label at its start.
 * @returns -1 if there is no such line
 */
export function findLine(text: Buffer, label: string): number {
  if (text.indexOf(label, 0, 'latin1') === 0) return label.length;
  const at = text.indexOf(`\n${label}`, 0, 'latin1');
  return at < 0 ? -1 : at + 1 + label.length;
}

/** Start of the next line, or end of the text. */
export function findNextLine(text: Buffer, from: number): number {
  const at = text.indexOf(newline, from);
  return at < 0 ? text.length : at + 1;
}

/** Visits every line, including its line end. */
export function forEachLine(text: Buffer, visit: (line: Buffer) => void): void {
  for (let at = 0; at < text.length;) {
    const next = findNextLine(text, at);
    visit(text.subarray(at, next));
    at = next;
  }
}

/**
 * The text of a file of several lines.
 * @param its expected content, for messages
 * @throws Error if it is unreadable, its last line is incomplete, or the content is another one
 */
export function requireLines(file: KeptFile, what: string, isExpected: (text: Buffer) => boolean): Buffer {
  const text = file.read();
  const isWhole = text.at(-1) === newline;
  if (isWhole && isExpected(text)) return text;
  const found = isWhole ? 'something else' : 'a line without its end';
  throw new Error(`Cannot parse ${file.path}: expected ${what}, found ${found}`);
}

/**
 * The whole number after a label at the start of a line.
 * @throws Error if there is none
 */
export function parseLine(path: string, text: Buffer, label: string): number {
  const at = findLine(text, label);
  if (at >= 0 && parseNumbers(text, at, number) === 1) return elementAt(number, 0);
  throw new Error(
    `Cannot parse ${path}: expected a line that begins with "${label}" and has a number, found none`,
  );
}

/** PID_MAX_LIMIT of include/linux/threads.h: no kernel has more threads. */
export const maxThreads = 2 ** 22;

/** 8 PiB, beyond which a double cannot count single bytes: more than any machine has. */
export const maxBytes = Number.MAX_SAFE_INTEGER;

/** 292 years, the nanoseconds in the kernel's signed 64 bits: no kernel time is greater. */
export const maxSeconds = 2 ** 63 / 1e9;

/**
 * Validates a value of the kernel, which must not be below 0 or above the whole that it is a part of. An
 * unsigned number that fell below 0 is close to 2^64.
 * @returns NaN, which is a gap, if it is impossible
 */
export function bounded(value: number, max: number): number {
  return value >= 0 && value <= max ? value : NaN;
}

/** Removes impossible values and logs each of them once. */
export class Plausibility {
  readonly #log: Log;
  readonly #reported = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * @param what the value and its file, for messages
   * @returns the value; NaN if it is below 0 or above `max`
   */
  check(what: string, value: number, max: number): number {
    const checked = bounded(value, max);
    if (Number.isNaN(checked)) this.#report(what, value, max);
    return checked;
  }

  #report(what: string, value: number, max: number): void {
    if (this.#reported.has(what)) return;
    this.#reported.add(what);
    this.#log.warn(
      `Cannot use ${what}: expected 0 to ${max}, found ${value}; it is left out while it is impossible`,
    );
  }
}

/** Whether a name is selected: included, or no names are included explicitly, and not excluded. */
export function createNameFilter(filter: {
  readonly include: string | null;
  readonly exclude: string | null;
}): (name: string) => boolean {
  const include = filter.include === null ? undefined : new RegExp(filter.include, 'u');
  const exclude = filter.exclude === null ? undefined : new RegExp(filter.exclude, 'u');
  return (name) => include?.test(name) !== false && exclude?.test(name) !== true;
}

/** Creates a matcher for names: in the pattern, `*` matches any text. */
export function createNamePattern(pattern: string): RegExp {
  const parts = pattern.split('*').map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|]/gu, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`, 'su');
}
