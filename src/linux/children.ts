import { readdirSync, readFileSync } from 'node:fs';
import { koffi } from './koffi.js';
import { libc, nameErrno } from './libc.js';

/**
 * A process and all its current descendants, the process first. Orphans are not included, and no descendants if
 * the kernel does not list children (CONFIG_PROC_CHILDREN).
 */
export function listProcessTree(pid: number, procfs = '/proc'): readonly number[] {
  return [pid, ...listChildren(`${procfs}/${pid}/task`).flatMap((child) => listProcessTree(child, procfs))];
}

/** The children of every thread. */
function listChildren(tasks: string): readonly number[] {
  try {
    return readdirSync(tasks).flatMap((thread) =>
      parsePids(readFileSync(`${tasks}/${thread}/children`, 'latin1')),
    );
  } catch {
    // It has ended meanwhile, and its children have another parent now.
    return [];
  }
}

function parsePids(text: string): readonly number[] {
  return text.trim() === '' ? [] : text.trim().split(' ').map(Number);
}

/** Usage of the children of this process that have ended and were waited for, including their own such children. */
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

/** @throws Error if the system call fails */
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
 * @returns undefined if it has ended or the kernel does not report it
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

// Numbers: include/uapi/linux/wait.h.
const anyChild = 0;
const oneChild = 1;
const options = { noHang: 1, exited: 4, noWait: 0x0100_0000, ofThisThread: 0x2000_0000 };

/**
 * The kernel gives orphans to the main thread. `startHeld` starts programs on another thread, before their pid
 * is known.
 */
const look = options.exited | options.noHang | options.noWait | options.ofThisThread;

const waitid = libc.func('int waitid(int type, unsigned int id, void *info, int options)') as (
  type: number,
  id: number,
  info: Int32Array,
  options: number,
) => number;

/** siginfo_t: 128 bytes, in which the pid follows signo, errno, code and, with 8-byte pointers, padding. */
const info = new Int32Array(32);
const pidIndex = process.arch === 'arm' || process.arch === 'ia32' ? 3 : 4;

/**
 * Reaps children that have ended and were not started here: the first process of a container inherits those whose
 * parent ended first, and would keep them as zombies. Must be called on the main thread.
 * @param own pids of children that are waited for elsewhere; those that another thread started need not be among them
 * @returns how many there were
 */
function reapOrphans(own: ReadonlySet<number>): number {
  for (let reaped = 0; ; reaped++) {
    info[pidIndex] = 0;
    // Looks without reaping: Node waits for its own children, and would never learn of their end.
    const failed = waitid(anyChild, 0, info, look) !== 0;
    const pid = info[pidIndex];
    if (failed || pid === 0 || own.has(pid)) return reaped;
    if (waitid(oneChild, pid, info, options.exited | options.noHang) !== 0) return reaped;
  }
}

/** Reaps orphans from now on, if this is the first process of a pid namespace. */
export function reapOrphansAsInit(own: ReadonlySet<number>): void {
  if (process.pid !== 1) return;
  process.on('SIGCHLD', () => void reapOrphans(own));
  reapOrphans(own);
}
