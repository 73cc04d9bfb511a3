import type { Log } from '../component/log.js';
import { describeError } from '../errors.js';
import { describeReadError, readFileStamp, readRegularText } from '../linux/regular-file.js';

const maxSecretBytes = 64 * 1024;

export interface SecretOptions<Use> {
  /** For messages: the setting and the file. */
  readonly name: string;
  readonly log: Log;
  /** Converts the secret, once for each content of the file. Its errors must not reveal the content. */
  use(secret: string): Use;
}

/**
 * Reads a one-line secret, a token or a password. The file is read again when it has changed; the last valid
 * content is used while the file is unusable.
 * @throws Error naming the setting and the file, without its content
 */
export function openSecretFile<Use>(path: string, { name, log, use }: SecretOptions<Use>): () => Use {
  let stamp = readFileStamp(path);
  let made = use(readSecret(path, name));
  return () => {
    const found = readFileStamp(path);
    if (found === stamp) return made;
    stamp = found;
    try {
      made = use(readSecret(path, name));
    } catch (error) {
      log.warn(`${describeError(error)}; using the previous one`);
    }
    return made;
  };
}

/** @throws Error naming the setting and the file, without its content */
export function readSecret(path: string, name: string): string {
  const text = readText(path, name).replace(/\r?\n$/u, '');
  if (text === '') throw new Error(`Cannot use ${name}: expected one line of text, found none`);
  if (/[\r\n]/u.test(text)) throw new Error(`Cannot use ${name}: expected one line of text, found several`);
  return text;
}

function readText(path: string, name: string): string {
  try {
    return readRegularText(path, maxSecretBytes);
  } catch (error) {
    throw new Error(`Cannot read ${name}: ${describeReadError(error)}`, { cause: error });
  }
}
