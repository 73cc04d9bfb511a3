import { closeSync, readFileSync } from 'node:fs';
import koffi from 'koffi';
import { libc, nameErrno } from './libc.js';

// Layout and numbers: include/uapi/linux/perf_event.h. Only the 64 bytes that every kernel knows are sent.

/** Values of `type` that are the same everywhere; a PMU of its own has its number in sysfs. */
export const perfType = { hardware: 0, software: 1 } as const;

/** Values of `config` for the type `software`. */
export const softwareEvent = { cpuClock: 0, taskClock: 1, pageFaults: 2, contextSwitches: 3 } as const;

/**
 * What one read returns, in 8-byte words. Without `group`: value, [enabled], [running]. With `group`, read at
 * the leader: number of values, [enabled], [running], values. The kernel refuses `group` with `inherit`.
 */
export const perfReadFormat = { totalTimeEnabled: 1, totalTimeRunning: 2, group: 8 } as const;

/** Which event is counted, where, and how it is read. What is left out is off. */
export interface PerfEvent {
  /** For messages: `energy-pkg`. */
  readonly name: string;
  readonly type: number;
  readonly config: number | bigint;
  /** The process; -1: whatever runs on `cpu`. */
  readonly pid: number;
  /** The CPU; -1: wherever `pid` runs. */
  readonly cpu: number;
  /** The descriptor of the group's leader. */
  readonly groupFd?: number;
  /** A sum of `perfReadFormat`. */
  readonly readFormat?: number;
  /** Counts threads and processes that are born later, too. */
  readonly inherit?: boolean;
  /** Counts only from the next `execve` of the process on. Needs `disabled`. */
  readonly enableOnExec?: boolean;
  readonly disabled?: boolean;
  /** Without it, kernel.perf_event_paranoid must be at most 1 or CAP_PERFMON granted. */
  readonly excludeKernel?: boolean;
  readonly excludeHypervisor?: boolean;
}

/** The kernel refused a perf event. */
export class PerfEventError extends Error {
  override readonly name = 'PerfEventError';
  /** The error's name: `EACCES`. */
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** perf_event_open on the little-endian architectures that Node runs on. */
const syscallNumbers: Readonly<Record<string, number>> = {
  x64: 298,
  ia32: 336,
  arm: 364,
  arm64: 241,
  riscv64: 241,
  loong64: 241,
  ppc64: 319,
};
const fdCloexec = 8;

const perfEventOpen = libc.func(
  'long syscall(long number, const void *attr, int pid, int cpu, int group_fd, unsigned long flags)',
) as (
  ...args: [number: number, attr: Uint8Array, pid: number, cpu: number, groupFd: number, flags: number]
) => number;

const read = libc.func('long read(int fd, void *buffer, unsigned long count)') as (
  fd: number,
  buffer: Uint8Array,
  count: number,
) => number;

/**
 * Opens a counter without sampling and returns its descriptor, which is closed on exec.
 * @throws PerfEventError that says what is missing
 */
export function openPerfEvent(event: PerfEvent): number {
  const number = syscallNumbers[process.arch];
  if (number === undefined) {
    throw new PerfEventError(
      `${describeFailure(event)}: ${process.arch} is not a known architecture`,
      'ENOSYS',
    );
  }
  const fd = perfEventOpen(number, encodeAttr(event), event.pid, event.cpu, event.groupFd ?? -1, fdCloexec);
  if (fd >= 0) return fd;
  const code = nameErrno(koffi.errno());
  throw new PerfEventError(`${describeFailure(event)}: ${describeCause(code, event)}`, code);
}

/**
 * Reads the counter or group into `buffer`, which holds as many bytes as its format has. Allocates nothing.
 * @returns the bytes read; 0 when the event cannot be counted (any more), -1 when the read failed
 */
export function readPerfEvent(fd: number, buffer: Uint8Array): number {
  return read(fd, buffer, buffer.length);
}

const readAt = libc.func('int read(int fd, uintptr_t address, int count)') as (
  fd: number,
  address: number,
  count: number,
) => number;

/** As `readPerfEvent`, for what is read often: into the `size` bytes at an address that `addressOf` gave. */
export function readPerfEventAt(fd: number, address: number, size: number): number {
  return readAt(fd, address, size);
}

/** Closes the counter. */
export function closePerfEvent(fd: number): void {
  closeSync(fd);
}

function encodeAttr(event: PerfEvent): Uint8Array {
  const attr = Buffer.alloc(64);
  attr.writeUInt32LE(event.type, 0);
  attr.writeUInt32LE(attr.length, 4);
  attr.writeBigUInt64LE(BigInt(event.config), 8);
  attr.writeUInt32LE(event.readFormat ?? 0, 32);
  attr.writeUInt32LE(flagsOf(event), 40);
  return attr;
}

function flagsOf(event: PerfEvent): number {
  const disabled = event.disabled === true ? 1 : 0;
  const inherit = event.inherit === true ? 1 << 1 : 0;
  const excludeKernel = event.excludeKernel === true ? 1 << 5 : 0;
  const excludeHypervisor = event.excludeHypervisor === true ? 1 << 6 : 0;
  const enableOnExec = event.enableOnExec === true ? 1 << 12 : 0;
  return disabled | inherit | excludeKernel | excludeHypervisor | enableOnExec;
}

function describeFailure({ name, pid, cpu }: PerfEvent): string {
  const process = pid === -1 ? '' : ` of process ${pid}`;
  return `Cannot open perf event "${name}"${process}${cpu === -1 ? '' : ` on cpu ${cpu}`}`;
}

function describeCause(code: string, event: PerfEvent): string {
  if (code === 'ENOENT' || code === 'EOPNOTSUPP') return `${code}, this kernel or machine does not count it`;
  if (code === 'ENODEV') return `${code}, the PMU cannot count on this cpu, or it is offline`;
  if (code === 'ESRCH') return `${code}, there is no such process`;
  if (code === 'EMFILE') return `${code}, raise the limit of open files`;
  if (code === 'EACCES' || code === 'EPERM') return `${code}, ${describeRefusal(event)}`;
  return code;
}

function describeRefusal(event: PerfEvent): string {
  const paranoid = readParanoid();
  const wanted = event.pid === -1 ? 0 : event.excludeKernel === true ? 2 : 1;
  if (paranoid === undefined) return 'this kernel has no perf events';
  if (paranoid > wanted) {
    return `kernel.perf_event_paranoid is ${paranoid}, must be at most ${wanted} or CAP_PERFMON granted`;
  }
  if (event.pid > 0) return 'the process belongs to another user, CAP_PERFMON must be granted';
  return 'a seccomp or security policy forbids perf_event_open';
}

function readParanoid(): number | undefined {
  try {
    return Number(readFileSync('/proc/sys/kernel/perf_event_paranoid', 'utf8'));
  } catch {
    return undefined;
  }
}
