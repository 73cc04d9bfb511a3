import { writeMessage } from './write-message.js';

/** Says that a configuration asks for a variable that nobody set: its value is empty, as in the Collector. */
export function warnOfUnset(name: string): void {
  writeMessage(`Configuration references unset environment variable "${name}", its value is empty`);
}
