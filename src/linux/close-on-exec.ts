import { readdirSync } from 'node:fs';
import { fcntl } from './libc.js';

// include/uapi/asm-generic/fcntl.h and linux/fcntl.h
const setDescriptorFlags = 2;
const closeOnExec = 1;
const firstOther = 3;

/**
 * Sets close-on-exec on every descriptor of this process except the standard streams. Node does that for those
 * that it opens, and for inherited ones up to the first gap above descriptor 15 only.
 */
export function closeDescriptorsOnExec(): void {
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    // A closed descriptor, like that of the folder, is not an error.
    if (fd >= firstOther) fcntl(fd, setDescriptorFlags, 'int', closeOnExec);
  }
}
