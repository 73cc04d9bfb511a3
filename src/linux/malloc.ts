import { libc } from './libc.js';

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
