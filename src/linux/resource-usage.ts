import koffi from 'koffi';
import { libc, nameErrno } from './libc.js';
import { readFileSync } from 'node:fs';

/** What children of this process used that have ended and were waited for, and theirs likewise. */
export interface ChildUsage {
  readonly userNs: number;
  readonly systemNs: number;
  /** The largest resident set of any of them, in bytes. */
  readonly maxRssBytes: number;
}

const ofChildren = -1;

// struct rusage (getrusage(2)): two struct timeval of two longs each, then ru_maxrss in KiB, all in longs.
const longBytes = koffi.sizeof('long');
const longs = 18;

const getrusage = libc.func('int getrusage(int who, void *usage)') as (
  who: number,
  usage: Uint8Array,
) => number;

/** @throws Error when the kernel does not tell */
export function readChildUsage(): ChildUsage {
  const buffer = Buffer.alloc(longs * longBytes);
  if (getrusage(ofChildren, buffer) !== 0) {
    throw new Error(`Cannot read the resource usage of children: ${nameErrno()}`);
  }
  const at = (index: number): number =>
    longBytes === 8 ? Number(buffer.readBigInt64LE(index * 8)) : buffer.readInt32LE(index * 4);
  return {
    userNs: at(0) * 1e9 + at(1) * 1000,
    systemNs: at(2) * 1e9 + at(3) * 1000,
    maxRssBytes: at(4) * 1024,
  };
}

/**
 * The largest resident set that a process has had since its last `execve`, in bytes.
 * @returns undefined when it has ended or does not say
 */
export function findPeakRssBytes(pid: number, procfs = '/proc'): number | undefined {
  try {
    const [, kibibytes] =
      /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`${procfs}/${pid}/status`, 'latin1')) ?? [];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    return undefined;
  }
}
