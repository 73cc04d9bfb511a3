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

/**
 * Where memory lies, for C functions that are called often: they take it as a number at two thirds of what a
 * buffer costs, since nothing needs to be looked up. The memory must be held for as long as the address is used,
 * and not be transferred to another thread.
 */
export function addressOf(memory: ArrayBuffer | SharedArrayBuffer): number {
  // koffi takes shared memory as a view only, and a view of its own keeps none on the heap, where it would move.
  return Number(koffi.address(new Uint8Array(memory)));
}
