import { openSync, readdirSync, readlinkSync } from 'node:fs';
import { addressOf, libc } from '../libc.js';
import { closePerfEvent, readPerfEvent } from './event.js';

// For tests: perf events whose reads fail, since another file is behind their descriptors.

const dup2 = libc.func('int dup2(int from, int to)') as (from: number, to: number) => number;
const dup = libc.func('int dup(int from)') as (from: number) => number;
const eventfd = libc.func('int eventfd(unsigned int count, int flags)') as (
  count: number,
  flags: number,
) => number;
const semaphore = 1;

/** Files that are read as an event with a fault is read. */
export const faultyFiles = {
  /** Each read returns 8 bytes. */
  truncated: () => eventfd(2 ** 32 - 1, semaphore),
  empty: () => openSync('/dev/null', 'r'),
  /** EISDIR */
  refused: () => openSync('/', 'r'),
} as const;

/** Descriptors of perf events of this process. */
export function listEvents(): readonly number[] {
  return readdirSync('/proc/self/fd')
    .filter((fd) => linkOf(fd).includes('perf_event'))
    .map(Number);
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // The folder's own descriptor.
    return '';
  }
}

/** Whether a group has counted anything: events that only show whether a CPU is online have not. */
export function hasCounted(fd: number): boolean {
  const words = new BigUint64Array(4);
  readPerfEvent(fd, addressOf(words.buffer), words.byteLength);
  return (words[3] ?? 0n) > 0n;
}

/** Puts another file behind these descriptors. @returns ends that */
export function replaceFiles(fds: readonly number[], open: () => number): () => void {
  const file = open();
  const copies = fds.map((fd) => dup(fd));
  for (const fd of fds) dup2(file, fd);
  closePerfEvent(file);
  return () => {
    for (const [i, fd] of fds.entries()) {
      dup2(copies[i] ?? -1, fd);
      closePerfEvent(copies[i] ?? -1);
    }
  };
}
