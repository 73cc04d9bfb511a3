/**
 * For tests: an address of this machine that no other process uses, so that a port that was closed can be
 * opened again: on 127.0.0.1 another program might get the port in between.
 */
export const ownAddress = `127.${64 + ((process.pid >> 16) & 0x3f)}.${(process.pid >> 8) & 0xff}.${process.pid & 0xff}`;
