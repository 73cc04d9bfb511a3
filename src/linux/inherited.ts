import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { findOriginalOpenFilesLimit } from './privileges.js';

/** What this process was started with and a program that it starts is to have, although Node has changed it. */
export interface Inherited {
  /** Numbers of the open descriptors, the standard ones included. */
  readonly descriptors: readonly number[];
  /** Of the three standard streams those that were closed: Node has opened /dev/null in their place. */
  readonly closed: readonly number[];
  /** Status flags (open(2)) of the open standard streams, which Node makes non-blocking. */
  readonly statusFlags: ReadonlyMap<number, number>;
  /** Signals that were ignored, and blocked: bit n - 1 for signal n, as in proc_pid_status(5). */
  readonly ignoredSignals: bigint;
  readonly blockedSignals: bigint;
  /** Soft limit of open files; undefined where Node has not changed it or nothing is known. */
  readonly openFilesLimit: number | undefined;
  /** `NAME=value` each; undefined: as this process has it. */
  readonly environment: readonly Buffer[] | undefined;
}

/** What bin/joulemetry notes, before Node changes it. */
interface Note {
  readonly descriptors: readonly number[];
  readonly ignoredSignals: bigint;
  readonly blockedSignals: bigint;
  readonly openFilesLimit: number | undefined;
}

const standard = [0, 1, 2] as const;
/** Bit n - 1 for signal n. */
const [sigHup, sigChld] = [1n << 0n, 1n << 16n];
const readWrite = 0o2;
const accessMode = 0o3;
/** Node's own kinds of descriptors without a path, besides pipes. */
const nodesOwn = /^anon_inode:\[(?:eventpoll|eventfd|io_uring)\]$/;
const shells = /^(?:sh|bash|dash|ash|zsh|ksh|mksh|busybox|fish)$/;

let noted: Inherited | undefined;

/**
 * Finds out what this process was started with. The first call is to come before anything is opened and before
 * `process.stdout` and its like are used: it is the one that looks.
 */
export function noteInherited(): Inherited {
  noted ??= look();
  return noted;
}

function look(): Inherited {
  const note = takeNote();
  const environment = takeEnvironment(note);
  const { descriptors, closed } = note ? describeNoted(note) : guessDescriptors();
  const open = descriptors.filter((fd) => !closed.includes(fd));
  return {
    descriptors: open,
    closed,
    statusFlags: new Map(
      standard.filter((fd) => open.includes(fd)).flatMap((fd) => pair(fd, readFlags('self', fd))),
    ),
    ignoredSignals: guessIgnored(note?.ignoredSignals),
    blockedSignals: note?.blockedSignals ?? 0n,
    openFilesLimit: note ? note.openFilesLimit : findOriginalOpenFilesLimit(),
    environment,
  };
}

/** A process that was started with the note of another one does not take it for its own. */
function takeNote(): Note | undefined {
  const text = process.env['JOULEMETRY_STARTED'] ?? '';
  delete process.env['JOULEMETRY_STARTED'];
  const [, pid, blocked = '', ignored = '', limit, fds = ''] =
    /^(\d+) ([0-9a-f]+) ([0-9a-f]+) (\d+|unlimited) ([\d,]*)$/.exec(text) ?? [];
  if (Number(pid) !== process.pid) return undefined;
  return {
    descriptors: fds.split(',').filter(Boolean).map(Number),
    ignoredSignals: BigInt(`0x${ignored}`),
    blockedSignals: BigInt(`0x${blocked}`),
    openFilesLimit: limit === 'unlimited' ? undefined : Number(limit),
  };
}

function takeEnvironment(note: Note | undefined): readonly Buffer[] | undefined {
  const text = process.env['JOULEMETRY_ENVIRONMENT'] ?? '';
  delete process.env['JOULEMETRY_ENVIRONMENT'];
  return note === undefined || text === '' ? undefined : splitAtNul(Buffer.from(text, 'base64'));
}

interface Descriptors {
  readonly descriptors: readonly number[];
  readonly closed: readonly number[];
}

function describeNoted({ descriptors }: Note): Descriptors {
  return { descriptors, closed: standard.filter((fd) => !descriptors.includes(fd)) };
}

function guessDescriptors(): Descriptors {
  const descriptors = listInherited();
  return { descriptors, closed: descriptors.length > 0 ? findClosed() : [] };
}

function pair(fd: number, flags: number | undefined): readonly (readonly [number, number])[] {
  return flags === undefined ? [] : [[fd, flags]];
}

/** Node has opened its own by now: event queues, and pipes of which both ends are here and none in the parent. */
function listInherited(): readonly number[] {
  const own = listTargets('self');
  const parents = new Set(listTargets(process.ppid).values());
  const ends = [...own.values()];
  const isOwnPipe = (target: string) =>
    target.startsWith('pipe:') && !parents.has(target) && ends.filter((end) => end === target).length > 1;
  return [...own]
    .filter(([fd, target]) => fd < standard.length || !(nodesOwn.test(target) || isOwnPipe(target)))
    .map(([fd]) => fd);
}

function listTargets(pid: number | 'self'): ReadonlyMap<number, string> {
  return new Map(listNames(`/proc/${pid}/fd`).flatMap((fd) => targetOf(pid, fd)));
}

function listNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The folder that was listed is closed by now. */
function targetOf(pid: number | 'self', fd: string): readonly (readonly [number, string])[] {
  try {
    return [[Number(fd), readlinkSync(`/proc/${pid}/fd/${fd}`)]];
  } catch {
    return [];
  }
}

/**
 * Node opens /dev/null to read and write where a standard stream is closed. So do some programs for their children;
 * a shell does so only on request, so below a shell it was Node.
 */
function findClosed(): readonly number[] {
  if (!shells.test(readText(`/proc/${process.ppid}/comm`).trim())) return [];
  const parents = listTargets(process.ppid);
  return standard.filter((fd) => isReadWriteNull('self', fd) && parents.get(fd) !== '/dev/null');
}

function isReadWriteNull(pid: number | 'self', fd: number): boolean {
  const isNull = targetOf(pid, `${fd}`).some(([, target]) => target === '/dev/null');
  return isNull && ((readFlags(pid, fd) ?? 0) & accessMode) === readWrite;
}

function readFlags(pid: number | 'self', fd: number): number | undefined {
  const [, flags] = /^flags:\s*([0-7]+)$/m.exec(readText(`/proc/${pid}/fdinfo/${fd}`)) ?? [];
  return flags === undefined ? undefined : Number.parseInt(flags, 8);
}

/**
 * Node resets the signals that were ignored, and shells but bash reset SIGCHLD before they can note it. What can still
 * be known is what nohup(1) does, from the name of the program that bash and zsh leave in the environment, and what
 * the parent ignores: its children do, too, unless it takes care.
 * @param byLauncher what bin/joulemetry has noted
 */
function guessIgnored(byLauncher: bigint | undefined): bigint {
  const [, ignored = '0'] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readText(`/proc/${process.ppid}/status`)) ?? [];
  const byParent = BigInt(`0x${ignored}`);
  if (byLauncher !== undefined) return byLauncher | (byParent & sigChld);
  const byNohup = /(?:^|\/)nohup$/.test(process.env['_'] ?? '') ? sigHup : 0n;
  return byNohup | (byParent & (sigHup | sigChld));
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** Byte strings, each of which ends with a NUL, as procfs has them. */
export function splitAtNul(bytes: Buffer): readonly Buffer[] {
  const parts: Buffer[] = [];
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(0, from);
    parts.push(bytes.subarray(from, end < 0 ? bytes.length : end));
    from = end < 0 ? bytes.length : end + 1;
  }
  return parts;
}

/** Whether a set of signals, bit n - 1 for signal n, has one. */
export function isIn(signals: bigint, number: number): boolean {
  return ((signals >> BigInt(number - 1)) & 1n) === 1n;
}
