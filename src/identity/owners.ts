import { statSync } from 'node:fs';
import { readRegularText } from '../../src/linux/regular-file.js';

/** The names of users by number, from a file in the format of passwd(5). */
export class Owners {
  readonly #path: string;
  #names = new Map<number, string>();
  #modifiedMs = NaN;

  constructor(path: string) {
    this.#path = path;
    this.refresh();
  }

  /** Reads the file again if it has changed. A file that is not there knows no names. */
  refresh(): void {
    const modifiedMs = statSync(this.#path, { throwIfNoEntry: false })?.mtimeMs;
    if (modifiedMs === this.#modifiedMs) return;
    this.#modifiedMs = modifiedMs ?? NaN;
    this.#names = modifiedMs === undefined ? new Map() : parsePasswd(readRegularText(this.#path));
  }

  /** The user's name, or the number where there is none. */
  nameOf(uid: number): string {
    return this.#names.get(uid) ?? String(uid);
  }
}

function parsePasswd(text: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [name, , uid] = line.split(':');
    // The first line of a number wins, as it does for getpwuid(3).
    if (name && uid && !names.has(Number(uid))) names.set(Number(uid), name);
  }
  return names;
}
