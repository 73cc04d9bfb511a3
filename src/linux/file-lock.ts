import { constants } from 'node:os';
import { koffi } from './koffi.js';
import { libc } from './libc.js';

const flock = libc.func('int flock(int fd, int operation)') as (fd: number, operation: number) => number;

// include/uapi/asm-generic/fcntl.h
const exclusive = 2;
const nonBlocking = 4;

/**
 * Takes the lock of an open file, which goes when it is closed, however that comes about.
 * @returns false when it is held already, by another program or by this one; a file system without locks gives it
 *   to every caller
 */
export function lockFile(fd: number): boolean {
  return flock(fd, exclusive | nonBlocking) === 0 || koffi.errno() !== constants.errno.EWOULDBLOCK;
}
