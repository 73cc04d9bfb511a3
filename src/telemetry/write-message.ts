import { escapeControls } from '../component/output.js';

/** Writes messages for the user to stderr, each on a line. */
export function writeMessage(...messages: readonly string[]): void {
  process.stderr.write(messages.map((message) => `${escapeControls(message)}\n`).join(''));
}

/** Reports that a configuration references a variable that is not set: its value is empty, as in the Collector. */
export function warnOfUnset(name: string): void {
  writeMessage(`Configuration references unset environment variable "${name}", its value is empty`);
}
