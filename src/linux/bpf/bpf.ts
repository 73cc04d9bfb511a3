import { closeSync } from 'node:fs';
import { koffi } from '../koffi.js';
import { libc, nameErrno } from '../libc.js';
import { findLockedMemoryLimit, lockedMemoryRemedies } from '../locked-memory.js';
import { findMissingForBpf } from '../privileges.js';
import { findSyscallNumber } from '../syscall-numbers.js';
import type { Assembler } from './assembler.js';

// Numbers and layouts: include/uapi/linux/bpf.h. The kernel sets close-on-exec on the descriptors.
export const command = {
  createMap: 0,
  deleteElement: 3,
  loadProgram: 5,
  callProgram: 10,
  openRawTracepoint: 17,
  lookUpBatch: 24,
  createLink: 28,
  createIterator: 33,
} as const;
export const attributeBytes = 144;
/** Program type, attach type, and flags: a program that a process calls must be sleepable. */
const programKinds = {
  tracepoint: { type: 26, attachType: 23, flags: 0 },
  iterator: { type: 26, attachType: 28, flags: 0 },
  call: { type: 31, attachType: 0, flags: 1 << 4 },
} as const;
const mapTypes = { hash: 1, array: 2, ringBuffer: 27 } as const;
const arrayKeyBytes = 4;
const mmapable = 1 << 10;
/** Some helpers are available only to programs with a compatible licence. */
const license = Buffer.from('Dual BSD/GPL\0');
const logBytes = 1 << 18;
/** How much of the end of the verifier's log, which contains the reason, is shown. */
const shownLogCharacters = 600;

type AsyncSyscall = (
  ...args: [number, number, Buffer, number, finish: (error: unknown, result: number) => void]
) => void;
const syscall = libc.func('long syscall(long number, int command, void *attr, unsigned int size)') as ((
  number: number,
  command: number,
  attributes: Buffer,
  size: number,
) => number) & { readonly async: AsyncSyscall };

/** The kernel refused a BPF program, map or link. */
export class BpfError extends Error {
  override readonly name = 'BpfError';
  /** The error's name: `EPERM`. */
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** A program: where it runs and what it does. */
export interface BpfProgram {
  /** At most 15 characters; bpftool shows it. */
  readonly name: string;
  /** When it runs: at a tracepoint, for each object of an iterator, or when called. */
  readonly kind: keyof typeof programKinds;
  /** The id of the function or typedef that it is attached to, from `TypeFacts.findId`; none if it is called. */
  readonly attachTo?: number;
  readonly code: Assembler;
}

/**
 * Loads a program. The verifier runs on another thread.
 * @returns its descriptor
 * @throws BpfError with the missing capability, or with the end of the verifier's log
 */
export async function loadProgram(program: BpfProgram): Promise<number> {
  const { attributes, code } = encodeProgram(program);
  const number = requireSyscallNumber();
  const fd = await new Promise<number>((resolve) => {
    // The closure keeps the code alive, since the kernel reads it until the call has returned.
    const finish = (_: unknown, result: number): void => resolve(code.length > 0 ? result : -1);
    syscall.async(number, command.loadProgram, attributes, attributeBytes, finish);
  });
  // errno belongs to the thread that made the call.
  return fd >= 0 ? fd : loadProgramSync(program);
}

/** Like `loadProgram`, for a program that the verifier is known to check within milliseconds. */
export function loadProgramSync(program: BpfProgram): number {
  const log = Buffer.alloc(logBytes);
  const { attributes, code } = encodeProgram(program);
  attributes.writeUInt32LE(1, 24);
  attributes.writeUInt32LE(log.length, 28);
  attributes.writeBigUInt64LE(addressOfBuffer(log), 32);
  const fd = retryInterrupted(() => bpf(command.loadProgram, attributes));
  if (fd >= 0 && code.length > 0) return fd;
  const text = log.toString('latin1', 0, log.indexOf(0)).trim();
  throw refusal(`load BPF program "${program.name}"`, nameErrno(), text.slice(-shownLogCharacters));
}

/** As often as libbpf. */
const maxLoads = 5;

/**
 * Loads a program, again if the verifier was interrupted: with EAGAIN it ends when a signal is pending or the cgroup is
 * being frozen, which says nothing about the program.
 * @param load makes the call, and returns its result
 * @returns the last result
 */
export function retryInterrupted(load: () => number): number {
  for (let tries = 1; ; tries++) {
    const result = load();
    if (result >= 0 || tries === maxLoads || nameErrno() !== 'EAGAIN') return result;
  }
}

/** The attributes, and the code that they point to. */
function encodeProgram({
  name,
  kind,
  attachTo = 0,
  code,
}: BpfProgram): Record<'attributes' | 'code', Buffer> {
  const bytes = code.encode();
  const buffer = Buffer.alloc(attributeBytes);
  const { type, attachType, flags } = programKinds[kind];
  buffer.writeUInt32LE(type, 0);
  buffer.writeUInt32LE(bytes.length / 8, 4);
  buffer.writeBigUInt64LE(addressOfBuffer(bytes), 8);
  buffer.writeBigUInt64LE(addressOfBuffer(license), 16);
  buffer.writeUInt32LE(flags, 44);
  buffer.write(name, 48, 15, 'latin1');
  buffer.writeUInt32LE(attachType, 68);
  buffer.writeUInt32LE(attachTo, 108);
  return { attributes: buffer, code: bytes };
}

interface MapSize {
  readonly entries: number;
  readonly keyBytes?: number;
  readonly valueBytes?: number;
}

/**
 * Creates a map. An array has `entries` values of `valueBytes` and can be mapped into memory; so can a ring buffer, which
 * has `entries` bytes, a power of two and whole pages. A hash has at most `entries` values.
 * @returns its descriptor
 */
export function createMap(
  type: keyof typeof mapTypes,
  name: string,
  { entries, keyBytes = type === 'array' ? arrayKeyBytes : 0, valueBytes = 0 }: MapSize,
): number {
  const attributes = Buffer.alloc(attributeBytes);
  attributes.writeUInt32LE(mapTypes[type], 0);
  attributes.writeUInt32LE(keyBytes, 4);
  attributes.writeUInt32LE(valueBytes, 8);
  attributes.writeUInt32LE(entries, 12);
  attributes.writeUInt32LE(type === 'array' ? mmapable : 0, 16);
  attributes.write(name, 28, 15, 'latin1');
  return check(bpf(command.createMap, attributes), `create BPF map "${name}"`);
}

/** Runs a tracepoint program from now on, until the returned descriptor is closed. */
export function attachTracepoint(name: string, programFd: number): number {
  const attributes = Buffer.alloc(attributeBytes);
  attributes.writeUInt32LE(programFd, 8);
  return check(bpf(command.openRawTracepoint, attributes), `attach BPF program "${name}"`);
}

/** Creates an iterator from a program; `openIteration` starts a pass. */
export function attachIterator(name: string, programFd: number): number {
  const attributes = Buffer.alloc(attributeBytes);
  attributes.writeUInt32LE(programFd, 0);
  attributes.writeUInt32LE(programKinds.iterator.attachType, 8);
  return check(bpf(command.createLink, attributes), `attach BPF program "${name}"`);
}

const iterationAttributes = Buffer.alloc(attributeBytes);

/** Starts a pass: reading the descriptor runs the program for each object. */
export function openIteration(name: string, linkFd: number): number {
  iterationAttributes.writeUInt32LE(linkFd, 0);
  return check(bpf(command.createIterator, iterationAttributes), `start BPF iterator "${name}"`);
}

const callAttributes = Buffer.alloc(attributeBytes);

/** Runs a program of the kind `call` once. */
export function callProgram(name: string, programFd: number): void {
  callAttributes.writeUInt32LE(programFd, 0);
  check(bpf(command.callProgram, callAttributes), `call BPF program "${name}"`);
}

/** Closes descriptors and empties the list, so that it may be called again. */
export function closeAll(fds: number[]): void {
  for (const fd of fds.splice(0).toReversed()) closeSync(fd);
}

const mmap = libc.func(
  'void *mmap(uintptr_t address, size_t length, int protection, int flags, int fd, long offset)',
) as (
  ...args: [address: number, length: number, protection: number, flags: number, fd: number, offset: number]
) => unknown;
const munmap = libc.func('int munmap(void *address, size_t length)') as (
  address: unknown,
  length: number,
) => number;
const protection = { read: 1, readWrite: 3 } as const;
const shared = 1;
const mapFailed = 0xffff_ffff_ffff_ffffn;

/** Memory that the kernel shares with this process. It must not be used after `unmap`. */
export interface MappedMemory {
  readonly memory: ArrayBuffer;
  readonly unmap: () => void;
}

/** Maps `length` bytes of a map at `offset`. */
export function mapMemory(
  fd: number,
  access: keyof typeof protection,
  length: number,
  offset = 0,
): MappedMemory {
  const address = mmap(0, length, protection[access], shared, fd, offset);
  if (koffi.address(address) === mapFailed) {
    throw new BpfError(`Cannot map ${length} bytes of a BPF map: ${nameErrno()}`, nameErrno());
  }
  return { memory: koffi.view(address, length), unmap: () => munmap(address, length) };
}

/** Makes the system call bpf(2). @returns its result; if negative, errno says why */
export function bpf(number: number, attributes: Buffer): number {
  return syscall(requireSyscallNumber(), number, attributes, attributes.length);
}

function requireSyscallNumber(): number {
  const number = findSyscallNumber('bpf');
  if (number !== undefined) return number;
  throw new BpfError(`Cannot use BPF: expected x64 or arm64, found ${process.arch}`, 'ENOSYS');
}

function check(result: number, attempt: string): number {
  if (result >= 0) return result;
  throw refusal(attempt, nameErrno(koffi.errno()));
}

function refusal(attempt: string, code: string, log = ''): BpfError {
  const [, helper] = /invalid func unknown#(\d+)/.exec(log) ?? [];
  if (helper !== undefined) {
    const lack = `this kernel has no BPF helper ${helper}; a newer one has it, for the CPU time of processes Linux 5.11`;
    return new BpfError(`Cannot ${attempt}: ${code}, ${lack}`, code);
  }
  return new BpfError(
    `Cannot ${attempt}: ${code}${describeCause(code)}${log === '' ? '' : `; verifier: ${log}`}`,
    code,
  );
}

function describeCause(code: string): string {
  if (code === 'ENOSYS') return ', this kernel has no BPF';
  if (code !== 'EPERM') return '';
  const missing = findMissingForBpf();
  if (missing.length > 0) return `, needs ${missing.join(' and ')}`;
  const limit = findLockedMemoryLimit();
  if (limit === undefined) return ', a security policy, kernel lockdown or user namespace forbids it';
  const [shell, unit] = lockedMemoryRemedies;
  return `, locked memory is limited to ${limit} kB, must be unlimited before Linux 5.11: ${shell}, or ${unit} in a systemd unit`;
}

function addressOfBuffer(buffer: Buffer): bigint {
  return koffi.address(buffer);
}
