import { libc } from './libc.js';

const getpagesize: () => number = libc.func('int getpagesize()');

/** Bytes of a memory page: 4 KiB on x86, up to 64 KiB on other machines. */
export const pageSize = getpagesize();
