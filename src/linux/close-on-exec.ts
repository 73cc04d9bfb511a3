import { readdirSync } from 'node:fs';
import { fcntl } from './libc.js';

// include/uapi/asm-generic/fcntl.h and linux/fcntl.h
const setDescriptorFlags = 2;
const closeOnExec = 1;
const firstOther = 3;

/**
 * Keeps every descriptor of this process but the standard streams from the programs that it starts. Node does that for
 * those that it opens, and for what it has inherited up to the first gap above descriptor 15 only.
 */
export function closeDescriptorsOnExec(): void {
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    // One that is closed by now, as that of the folder, needs nothing.
    if (fd >= firstOther) fcntl(fd, setDescriptorFlags, 'int', closeOnExec);
  }
}
