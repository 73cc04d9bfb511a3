import { parseAccounts } from '../linux/account-numbers.js';
import { describeReadError, readFileStamp, readRegularText } from '../linux/regular-file.js';

/** The names of users by number, from a file in the format of passwd(5). */
export class Owners {
  readonly #path: string;
  readonly #onUnreadable: (reason: string) => void;
  #names = new Map<number, string>();
  /** Stamp of the file that the names are from. */
  #stamp = 'none';
  #refusal = '';

  /** @param onUnreadable called when the file becomes unreadable, with the reason; names known before are kept */
  constructor(path: string, onUnreadable: (reason: string) => void) {
    this.#path = path;
    this.#onUnreadable = onUnreadable;
    this.refresh();
  }

  /** Reads the file again if it has changed. Without a file there are no names. */
  refresh(): void {
    let refusal = '';
    try {
      const stamp = readFileStamp(this.#path);
      if (stamp !== this.#stamp) this.#names = stamp === 'none' ? new Map() : this.#read();
      this.#stamp = stamp;
    } catch (error) {
      refusal = describeReadError(error);
    }
    if (refusal !== '' && refusal !== this.#refusal) this.#onUnreadable(describeRefusal(this.#path, refusal));
    this.#refusal = refusal;
  }

  /** The user's name, or the number if it has none. */
  nameOf(uid: number): string {
    return this.#names.get(uid) ?? String(uid);
  }

  #read(): Map<number, string> {
    return parsePasswd(readRegularText(this.#path));
  }
}

function describeRefusal(path: string, refusal: string): string {
  return `Cannot read the names of users from ${path}: ${refusal}; new users are shown by their number`;
}

function parsePasswd(text: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const { name, number } of parseAccounts(text)) {
    // The first line of a number wins, as in getpwuid(3).
    if (!names.has(number)) names.set(number, name);
  }
  return names;
}
