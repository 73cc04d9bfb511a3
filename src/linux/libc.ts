import { constants } from 'node:os';
import { koffi } from './koffi.js';

/**
 * The C library that this process already uses, whatever its name. Each file declares the functions it calls,
 * with the TypeScript type beside the C prototype.
 */
export const libc = koffi.load(null);

export const fcntl = libc.func('int fcntl(int fd, int command, ...)') as (
  fd: number,
  command: number,
  type: 'int',
  argument: number,
) => number;

/** @param argument a number, or an address of `addressOf` */
export const ioctl = libc.func('int ioctl(int fd, unsigned long request, uintptr_t argument)') as (
  fd: number,
  request: number,
  argument: number,
) => number;

/**
 * Ends the process without waiting for its threads. `process.exit` waits for those that block in C code, such as SQLite
 * at a lock or a write to a disk that does not answer.
 */
export const exitAtOnce = libc.func('void _exit(int status)') as (status: number) => void;

const namesByErrno = new Map(
  Object.entries(constants.errno).flatMap(([name, code]): [number, string][] =>
    // Another name of EAGAIN.
    name === 'EWOULDBLOCK' ? [] : [[code, name]],
  ),
);

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

/**
 * An address to be kept for functions that are called at every tick. V8 keeps a number that is no small integer as bare
 * bits in a field or in an array of numbers, and for each call makes an object on the heap of it, 16 bytes. In an array
 * that has something else, too, it is such an object once and for all.
 */
export type KeptAddress = readonly [address: number, notANumber: null];

/** As `addressOf`. */
export function keepAddressOf(memory: ArrayBuffer | SharedArrayBuffer): KeptAddress {
  return [addressOf(memory), null];
}

const getpagesize: () => number = libc.func('int getpagesize()');

/** Bytes of a memory page: 4 KiB on x86, up to 64 KiB on other machines. */
export const pageSize = getpagesize();

/** Numbers of parameters: glibc's malloc.h. */
const trimThreshold = -1;
const mmapThreshold = -3;
/** What both thresholds are when a process starts. */
const bytes = 128 * 1024;

/**
 * Lets malloc give memory back that was freed. When a large buffer is freed, glibc takes its size, up to 32 MiB, for
 * the new size from which on buffers lie apart, and twice that for what may lie free before the kernel gets it back;
 * soon buffers of some 100 KiB lie scattered over the heaps that every thread has, and 10 MB stay. Saying a
 * threshold, if only the first one, ends that. Other C libraries have no such thresholds, or give memory back anyway.
 */
export function giveBackFreedMemory(): void {
  const mallopt = findMallopt();
  mallopt?.(mmapThreshold, bytes);
  mallopt?.(trimThreshold, bytes);
}

function findMallopt(): ((parameter: number, value: number) => number) | undefined {
  try {
    return libc.func('int mallopt(int parameter, int value)');
  } catch {
    return undefined;
  }
}

/**
 * Gives back to the kernel what lies free between memory in use, in the heaps of all threads. After a start it is 5 MB
 * on Node 24, 1.3 MB on Node 20. It runs for 1 to 10 ms on another thread, since no thread has to wait for it.
 * Does nothing with other C libraries than glibc.
 */
export function trimFreedMemory(): Promise<void> {
  const trim = (mallocTrim ??= findMallocTrim());
  return new Promise((resolve) => trim(0, () => resolve()));
}

type MallocTrim = (padBytes: number, done: () => void) => void;
let mallocTrim: MallocTrim | undefined;

function findMallocTrim(): MallocTrim {
  try {
    // koffi types `async` as a function of anything.
    return libc.func('int malloc_trim(size_t pad)').async as MallocTrim;
  } catch {
    return (_, done) => done();
  }
}
