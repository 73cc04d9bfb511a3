import { libc } from './libc.js';

// Numbers: include/uapi/linux/wait.h.
const anyChild = 0;
const oneChild = 1;
const options = { noHang: 1, exited: 4, noWait: 0x0100_0000, ofThisThread: 0x2000_0000 };

/** The kernel gives orphans to the main thread. `startHeld` starts programs on another one, before their pid is known. */
const look = options.exited | options.noHang | options.noWait | options.ofThisThread;

const waitid = libc.func('int waitid(int type, unsigned int id, void *info, int options)') as (
  type: number,
  id: number,
  info: Int32Array,
  options: number,
) => number;

/** siginfo_t: 128 bytes, of which the pid follows signo, errno, code and, where pointers take 8 bytes, a gap. */
const info = new Int32Array(32);
const pidIndex = process.arch === 'arm' || process.arch === 'ia32' ? 3 : 4;

/**
 * Reaps children that have ended and were not started here: the first process of a container inherits those whose
 * parent ended first, and would keep them as zombies. Must be called on the main thread.
 * @param own pids of children that are waited for elsewhere; those that another thread started need not be among them
 * @returns how many there were
 */
export function reapOrphans(own: ReadonlySet<number>): number {
  for (let reaped = 0; ; reaped++) {
    info[pidIndex] = 0;
    // Looks without taking: Node waits for its own children, and would never learn of their end.
    const failed = waitid(anyChild, 0, info, look) !== 0;
    const pid = info[pidIndex];
    if (failed || pid === 0 || own.has(pid)) return reaped;
    if (waitid(oneChild, pid, info, options.exited | options.noHang) !== 0) return reaped;
  }
}

/** Reaps orphans from now on, where this is the first process of a pid namespace. */
export function reapOrphansAsInit(own: ReadonlySet<number>): void {
  if (process.pid !== 1) return;
  process.on('SIGCHLD', () => void reapOrphans(own));
  reapOrphans(own);
}
