import { parseNumbers } from '../linux/procfs.js';

const newline = 0x0a;
const number = new Float64Array(1);

/**
 * Where the rest of the line stands that begins with a label.
 * @returns -1 when there is no such line
 */
export function findLine(text: Buffer, label: string): number {
  if (text.indexOf(label, 0, 'latin1') === 0) return label.length;
  const at = text.indexOf(`\n${label}`, 0, 'latin1');
  return at < 0 ? -1 : at + 1 + label.length;
}

/** Where the next line begins, or the text ends. */
export function findNextLine(text: Buffer, from: number): number {
  const at = text.indexOf(newline, from);
  return at < 0 ? text.length : at + 1;
}

/** Visits every line, its end included. */
export function forEachLine(text: Buffer, visit: (line: Buffer) => void): void {
  for (let at = 0; at < text.length;) {
    const next = findNextLine(text, at);
    visit(text.subarray(at, next));
    at = next;
  }
}

/**
 * The whole number that follows a label at the beginning of a line.
 * @throws Error when there is none
 */
export function parseLine(path: string, text: Buffer, label: string): number {
  const at = findLine(text, label);
  if (at >= 0 && parseNumbers(text, at, number) === 1) return number[0];
  throw new Error(`Cannot parse ${path}: expected a line that begins with "${label}" and has a number`);
}
