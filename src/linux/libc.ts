import { constants } from 'node:os';
import koffi from 'koffi';

/**
 * The C library that this process already uses, whatever its name. Each file declares the functions it calls,
 * with the TypeScript type beside the C prototype.
 */
export const libc = koffi.load(null);

const namesByErrno = new Map(Object.entries(constants.errno).map(([name, code]) => [code, name]));

/** The name of an error number, by default that of the last failed call on this thread: `EACCES`. */
export function nameErrno(code: number = koffi.errno()): string {
  return namesByErrno.get(code) ?? `errno ${code}`;
}
