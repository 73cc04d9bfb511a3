import { escapeLines } from '../component/escape-controls.js';

/** Writes a message for the user to stderr, on one or several lines. */
export function writeMessage(text: string): void {
  process.stderr.write(`${escapeLines(text)}\n`);
}
