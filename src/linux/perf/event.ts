import { readFileSync } from 'node:fs';
import { koffi } from '../koffi.js';
import { ioctl, libc, nameErrno } from '../libc.js';
import { findSyscallNumber } from '../syscall-numbers.js';

// Layout and numbers: include/uapi/linux/perf_event.h. Only as many bytes are sent as are used: every kernel
// knows the first 64.

/** Values of `type` that are the same on every machine; the number of another PMU is in sysfs. */
export const perfType = { hardware: 0, software: 1, tracepoint: 2, cache: 3, raw: 4 } as const;

/** Values of `config` for the type `software`. */
export const softwareEvent = { cpuClock: 0, taskClock: 1, pageFaults: 2, contextSwitches: 3 } as const;

/**
 * The layout of a read, in 8-byte words. Without `group`: value, [enabled], [running]. With `group`, read at
 * the leader: number of values, [enabled], [running], values. Kernels before 4.13 refuse `group` with
 * `inherit`.
 */
export const perfReadFormat = { totalTimeEnabled: 1, totalTimeRunning: 2, group: 8 } as const;

/** An event, where it is counted, and how it is read. Absent flags are off. */
export interface PerfEvent {
  /** For messages: `energy-pkg`. */
  readonly name: string;
  readonly type: number;
  readonly config: number | bigint;
  /** Further words that some PMUs use. */
  readonly config1?: bigint;
  readonly config2?: bigint;
  readonly config3?: bigint;
  /** The process; -1: all processes on `cpu`. With `isCgroup`, the descriptor of a cgroup's folder. */
  readonly pid: number;
  /** Counts what a cgroup and its descendants run on `cpu`. */
  readonly isCgroup?: boolean;
  /** The CPU; -1: wherever `pid` runs. */
  readonly cpu: number;
  /** The descriptor of the group's leader. */
  readonly groupFd?: number;
  /** A sum of `perfReadFormat`. */
  readonly readFormat?: number;
  /** Includes threads and processes that are started later. */
  readonly inherit?: boolean;
  /** With `inherit`: only threads, not processes. Kernels before 5.13 refuse it. */
  readonly inheritThread?: boolean;
  /** Starts counting at the next `execve` of the process. Needs `disabled`. */
  readonly enableOnExec?: boolean;
  readonly disabled?: boolean;
  /** Without it, kernel.perf_event_paranoid must be at most 1 or CAP_PERFMON granted. */
  readonly excludeKernel?: boolean;
  readonly excludeHypervisor?: boolean;
  readonly excludeUser?: boolean;
  readonly excludeIdle?: boolean;
  readonly excludeHost?: boolean;
  readonly excludeGuest?: boolean;
  /** Maximum skid, 0 to 3: greater numbers request less skid. */
  readonly preciseIp?: number;
  /** The event must always be on the PMU, or the read fails. */
  readonly isPinned?: boolean;
  /** No other group may count at the same time on the same CPU. */
  readonly isExclusive?: boolean;
}

/** The kernel refused a perf event. */
export class PerfEventError extends Error {
  override readonly name = 'PerfEventError';
  /** The error code: `EACCES`. */
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

const pidCgroup = 4;
const fdCloexec = 8;

const perfEventOpen = libc.func(
  'long syscall(long number, const void *attr, int pid, int cpu, int group_fd, unsigned long flags)',
) as (
  ...args: [number: number, attr: Uint8Array, pid: number, cpu: number, groupFd: number, flags: number]
) => number;

/**
 * Opens a counter without sampling and returns its descriptor, which has close-on-exec set.
 * @throws PerfEventError saying what is missing
 */
export function openPerfEvent(event: PerfEvent): number {
  const number = findSyscallNumber('perf_event_open');
  if (number === undefined) {
    throw new PerfEventError(
      `${describeFailure(event)}: ${process.arch} is not a known architecture`,
      'ENOSYS',
    );
  }
  const flags = fdCloexec + (event.isCgroup === true ? pidCgroup : 0);
  const fd = perfEventOpen(number, encodePerfAttr(event), event.pid, event.cpu, event.groupFd ?? -1, flags);
  if (fd >= 0) return fd;
  const code = nameErrno(koffi.errno());
  throw new PerfEventError(`${describeFailure(event)}: ${describeCause(code, event)}`, code);
}

const read = libc.func('int read(int fd, uintptr_t address, int count)') as (
  fd: number,
  address: number,
  count: number,
) => number;

/**
 * Reads a counter or group into memory at an address from `addressOf`; `size` is that of its format. Allocates
 * nothing.
 * @returns the bytes read; 0 if the event cannot be counted (any more), -1 if the read failed
 */
export function readPerfEvent(fd: number, address: number, size: number): number {
  return read(fd, address, size);
}

const enableRequest = 0x2400;

/** Starts a counter that was opened `disabled`, and the group that it leads. */
export function enablePerfEvent(fd: number): void {
  ioctl(fd, enableRequest, 0);
}

const close = libc.func('int close(int fd)') as (fd: number) => number;

/**
 * Closes the counter. Node warns about descriptors that a worker thread closes without having opened them with
 * `node:fs`.
 */
export function closePerfEvent(fd: number): void {
  close(fd);
}

/** The `struct perf_event_attr` of an event. */
export function encodePerfAttr(event: PerfEvent): Uint8Array {
  const attr = Buffer.alloc(findAttrSize(event));
  attr.writeUInt32LE(event.type, 0);
  attr.writeUInt32LE(attr.length, 4);
  attr.writeBigUInt64LE(BigInt(event.config), 8);
  attr.writeUInt32LE(event.readFormat ?? 0, 32);
  attr.writeBigUInt64LE(encodeFlags(event), 40);
  attr.writeBigUInt64LE(event.config1 ?? 0n, 56);
  if (attr.length > 64) attr.writeBigUInt64LE(event.config2 ?? 0n, 64);
  if (attr.length > 128) attr.writeBigUInt64LE(event.config3 ?? 0n, 128);
  return attr;
}

/** The smallest of PERF_ATTR_SIZE_VER0, 1 and 8 that contains every word used. */
function findAttrSize({ config2 = 0n, config3 = 0n }: PerfEvent): number {
  if (config3 !== 0n) return 136;
  return config2 === 0n ? 64 : 72;
}

function encodeFlags(event: PerfEvent): bigint {
  const bits: readonly (readonly [bit: number, isSet: boolean | undefined])[] = [
    [0, event.disabled],
    [1, event.inherit],
    [2, event.isPinned],
    [3, event.isExclusive],
    [4, event.excludeUser],
    [5, event.excludeKernel],
    [6, event.excludeHypervisor],
    [7, event.excludeIdle],
    [12, event.enableOnExec],
    [19, event.excludeHost],
    [20, event.excludeGuest],
    [35, event.inheritThread],
  ];
  const flags = bits.reduce((sum, [bit, isSet]) => (isSet === true ? sum | (1n << BigInt(bit)) : sum), 0n);
  return flags | (BigInt(event.preciseIp ?? 0) << 15n);
}

function describeFailure({ name, pid, cpu, isCgroup }: PerfEvent): string {
  const process = pid === -1 || isCgroup === true ? '' : ` of process ${pid}`;
  return `Cannot open perf event "${name}"${process}${cpu === -1 ? '' : ` on cpu ${cpu}`}`;
}

/** Until something, usually systemd, enables a controller, the kernel has no events for cgroups of version 2. */
const withoutController =
  'this kernel or machine does not count it, or no controller has been enabled in cgroup.subtree_control since the boot';

function describeCause(code: string, event: PerfEvent): string {
  if (code === 'ENOENT' && event.isCgroup === true) return `${code}, ${withoutController}`;
  if (code === 'ENOENT' || code === 'EOPNOTSUPP') return `${code}, this kernel or machine does not count it`;
  if (code === 'ENODEV') return `${code}, the PMU cannot count on this cpu, or it is offline`;
  if (code === 'ESRCH') return `${code}, there is no such process`;
  if (code === 'EINVAL') return `${code}, the PMU does not count it in this way`;
  if (code === 'EACCES' || code === 'EPERM') return `${code}, ${describeRefusal(event)}`;
  return code;
}

function describeRefusal(event: PerfEvent): string {
  const paranoid = readParanoid();
  const wanted = findWantedParanoid(event);
  if (paranoid === undefined) return 'this kernel has no perf events';
  if (paranoid > wanted) {
    return `kernel.perf_event_paranoid is ${paranoid}, must be at most ${wanted} or CAP_PERFMON granted`;
  }
  if (event.pid > 0 && event.isCgroup !== true)
    return 'the process belongs to another user, CAP_PERFMON must be granted';
  return 'a seccomp or security policy forbids perf_event_open';
}

function findWantedParanoid({ type, pid, isCgroup, excludeKernel }: PerfEvent): number {
  if (type === perfType.tracepoint) return -1;
  if (pid === -1 || isCgroup === true) return 0;
  return excludeKernel === true ? 2 : 1;
}

function readParanoid(): number | undefined {
  try {
    return Number(readFileSync('/proc/sys/kernel/perf_event_paranoid', 'utf8'));
  } catch {
    return undefined;
  }
}
