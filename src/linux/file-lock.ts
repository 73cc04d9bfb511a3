import { constants } from 'node:os';
import { koffi } from './koffi.js';
import { libc } from './libc.js';

const flock = libc.func('int flock(int fd, int operation)') as (fd: number, operation: number) => number;

// include/uapi/asm-generic/fcntl.h
const exclusive = 2;
const nonBlocking = 4;

/**
 * Locks an open file until it is closed for any reason.
 * @returns false if it is locked already, by another program or by this one; a file system without locks always
 * grants it
 */
export function lockFile(fd: number): boolean {
  return flock(fd, exclusive | nonBlocking) === 0 || koffi.errno() !== constants.errno.EWOULDBLOCK;
}
