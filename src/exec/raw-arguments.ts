import { readFileSync } from 'node:fs';
import { splitAtNul } from '../linux/inherited.js';

/**
 * The last arguments of this process as the bytes that they are: Node replaces those that are no UTF-8, and a file
 * of such a name would not be found.
 * @param args the same, as Node has them
 */
export function findRawArguments(args: readonly string[]): readonly (string | Uint8Array)[] {
  if (args.length === 0) return args;
  const raw = splitAtNul(readCommandLine()).slice(-args.length);
  const isSame = raw.length === args.length && raw.every((bytes, i) => bytes.toString() === args[i]);
  return isSame ? raw : args;
}

function readCommandLine(): Buffer {
  try {
    return readFileSync('/proc/self/cmdline');
  } catch {
    return Buffer.alloc(0);
  }
}
