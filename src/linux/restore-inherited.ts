import { hasSignal, type Inherited } from './inherited.js';
import { fcntl, libc } from './libc.js';

// include/uapi/asm-generic/fcntl.h and resource.h
const setDescriptorFlags = 2;
const getStatusFlags = 3;
const setStatusFlags = 4;
const nonBlocking = 0o4000;
const openFiles = 7;
const ignore = 1;
const longestStandard = 31;

/** Node ignores these two for itself: bit n - 1 for signal n, SIGPIPE and SIGXFSZ. */
const ignoredByNode = (1n << 12n) | (1n << 24n);
/** While SIGCHLD is ignored, the kernel keeps no exit codes of children. */
const sigChld = 17;
/** Larger than struct sigaction, which has 152 bytes in glibc and musl. */
const actionBytes = 512;

const signal = libc.func('uintptr_t signal(int number, uintptr_t disposition)') as (
  number: number,
  disposition: number,
) => number;
const sigaction = libc.func('int sigaction(int number, const void *action, void *old)') as (
  number: number,
  action: Uint8Array | null,
  old: Uint8Array | null,
) => number;
const prlimit = libc.func('int prlimit(int pid, int resource, void *limit, void *old)') as (
  pid: number,
  resource: number,
  limit: Uint8Array | null,
  old: Uint8Array | null,
) => number;

/** Restores what children inherit from this process. May be called again. */
export function restoreInherited({ descriptors, statusFlags, ignoredSignals }: Inherited): void {
  for (const fd of descriptors) fcntl(fd, setDescriptorFlags, 'int', 0);
  for (const [fd, flags] of statusFlags) {
    const found = fcntl(fd, getStatusFlags, 'int', 0);
    if (((found ^ flags) & nonBlocking) !== 0) {
      fcntl(fd, setStatusFlags, 'int', (found & ~nonBlocking) | (flags & nonBlocking));
    }
  }
  for (let number = 1; number <= longestStandard; number++) {
    if (number !== sigChld && hasSignal(ignoredSignals, number)) signal(number, ignore);
  }
}

/**
 * Ignores SIGCHLD, if this process was started so, until the child that is about to be started has inherited
 * it.
 * @returns a function to call then
 */
export function lendIgnoredSigChld({ ignoredSignals }: Inherited): () => void {
  if (!hasSignal(ignoredSignals, sigChld)) return () => {};
  const before = new Uint8Array(actionBytes);
  sigaction(sigChld, null, before);
  signal(sigChld, ignore);
  return () => void sigaction(sigChld, before, null);
}

/** glibc's two internal signals: its posix_spawn leaves them ignored. */
const ofLibrary = (1n << 31n) | (1n << 32n);

/** Signals that this process ignores and its children should not. */
export function signalsToReset({ ignoredSignals }: Inherited): bigint {
  return (ignoredByNode | ofLibrary) & ~ignoredSignals;
}

/** Gives a child the limits that this process was started with. */
export function restoreLimits(pid: number, { openFilesLimit: soft }: Inherited): void {
  if (soft === undefined) return;
  const limit = Buffer.alloc(16);
  if (prlimit(pid, openFiles, null, limit) !== 0) return;
  limit.writeBigUInt64LE(BigInt(soft));
  prlimit(pid, openFiles, limit, null);
}
