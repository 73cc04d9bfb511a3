import { escapeLines } from '../component/escape-controls.js';

/** Writes a message for the user to stderr, on one or several lines. */
export function writeMessage(text: string): void {
  process.stderr.write(`${escapeLines(text)}\n`);
}

/** Reports that a configuration references a variable that is not set: its value is empty, as in the Collector. */
export function warnOfUnset(name: string): void {
  writeMessage(`Configuration references unset environment variable "${name}", its value is empty`);
}
