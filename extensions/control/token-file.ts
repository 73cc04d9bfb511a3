import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import type { Log } from '../../src/component/log.js';
import { describeCode, describeError } from '../../src/errors.js';
import { describeReadError, readFileStamp, readRegularFile } from '../../src/linux/regular-file.js';

const maxBytes = 4096;
/** Shorter ones can be guessed. */
const minLength = 16;
const randomLength = 32;

/** The token that requests must carry, from a file that may change. */
export class TokenFile {
  readonly #path: string;
  readonly #log: Log;
  #digest: Buffer;
  #stamp: string;

  /**
   * Reads the token, or creates one if the file does not exist.
   * @param setting for messages
   * @throws Error naming the unusable file and the reason
   */
  constructor(path: string, setting: string, log: Log) {
    this.#path = path;
    this.#log = log;
    try {
      if (!existsSync(path)) createToken(path);
      this.#stamp = readFileStamp(path);
      this.#digest = digest(readToken(path));
    } catch (error) {
      throw new Error(`Cannot use ${setting} "${path}": ${describeError(error)}`, { cause: error });
    }
  }

  /** Whether an Authorization header carries the token; the comparison takes constant time. */
  admits(header: string | undefined): boolean {
    this.#follow();
    const [, token] = /^bearer +(\S+) *$/iu.exec(header ?? '') ?? [];
    return token !== undefined && timingSafeEqual(digest(token), this.#digest);
  }

  #follow(): void {
    const stamp = readFileStamp(this.#path);
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    try {
      this.#digest = digest(readToken(this.#path));
      this.#log.info(`Requests need the changed token of ${this.#path} from now on`);
    } catch (error) {
      this.#log.warn(
        `Cannot use the changed ${this.#path}: ${describeError(error)}; keeping the previous token`,
      );
    }
  }
}

function createToken(path: string): void {
  try {
    const text = `${randomBytes(randomLength).toString('base64url')}\n`;
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw new Error(`expected a file, or a folder in which it can be created, found ${describeCode(error)}`, {
      cause: error,
    });
  }
}

function readToken(path: string): string {
  const text = readText(path).trim();
  if (text.length >= minLength && !/\s/u.test(text)) return text;
  throw new Error(`expected at least ${minLength} characters without spaces, found ${text.length}`);
}

function readText(path: string): string {
  try {
    return readRegularFile(path, maxBytes).toString('latin1');
  } catch (error) {
    throw new Error(describeReadError(error), { cause: error });
  }
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
